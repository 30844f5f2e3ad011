// Clients that hold on to their server connection between transactions, and why.

import { num } from "../format.js";
import { store } from "../store.js";
import { Table } from "../table.js";
import { backendLink } from "./lists.js";
import { heading } from "./parts.js";
import { tableCard, time } from "./tables.js";

const reasonsOf = (pin) =>
  (pin.reasons ?? [])
    .map(
      (each) =>
        `${each.reason.replaceAll("_", " ")}${num(each.object_count) > 1 ? ` (${each.object_count})` : ""}`,
    )
    .join(", ");

const COLUMNS = [
  {
    key: "pid",
    label: "Backend",
    of: (pin) => num(pin.server_pid),
    show: (pin) => ({ text: pin.server_pid }),
  },
  { key: "database", label: "Database", class: "text", of: (pin) => pin.database },
  { key: "user", label: "User", class: "text", of: (pin) => pin.user },
  {
    key: "application_name",
    label: "Application",
    class: "text",
    of: (pin) => pin.application_name,
  },
  { key: "reasons", label: "Because of", class: "wrap", of: reasonsOf },
  {
    key: "age",
    label: "For",
    num: true,
    search: false,
    of: (pin) => num(pin.age_us),
    show: (pin) => time(num(pin.age_us), 6e7, 6e8),
  },
  { key: "client", label: "From", class: "wide", of: (pin) => pin.client },
];

export function build() {
  const table = new Table({
    label: "pins",
    key: (pin) => String(pin.server_pid),
    href: (pin) => backendLink(pin.server_pid),
    sort: "-age",
    empty: {
      title: "Nobody is pinned",
      text: "Every client gives its server connection back at the end of its transaction.",
    },
    columns: COLUMNS,
  });
  return {
    title: "Pins",
    needs: [],
    search: table.search,
    nodes: [heading("Pins"), tableCard("Sessions that cannot move", table)],
    update: () => table.update(store.snapshot.pins ?? []),
  };
}
