// Transactions that were left open: they hold locks and keep old rows from being cleaned up.

import { h, setText } from "../dom.js";
import { elapsed } from "../format.js";
import { store } from "../store.js";
import { LEAK_US, leakRows } from "./lists.js";
import { heading } from "./parts.js";
import { backendsTable, tableCard } from "./tables.js";

export function build() {
  const table = backendsTable({
    sort: "-for",
    empty: {
      title: "No leaks",
      text: `No backend has been idle in a transaction for ${elapsed(LEAK_US)}.`,
    },
  });
  const why = h("p", { class: "muted" });
  return {
    title: "Leaks",
    needs: ["servers"],
    search: table.search,
    nodes: [heading("Leaks"), why, tableCard("Idle in a transaction", table)],
    update() {
      const extension = store.snapshot.extension ?? {};
      setText(
        why,
        extension.available
          ? `Backends that have been idle in a transaction for more than ${elapsed(LEAK_US)}, pooled or not: usually a program that forgot COMMIT.`
          : `The extension tells which these are, and it is not read: ${extension.reason}`,
      );
      table.update(leakRows());
    },
  };
}
