// All backends that agent or extension know; or one, with what it cost and whose it is.

import { cancelButton, endBackendButton } from "../actions.js";
import { h, setText } from "../dom.js";
import { bytes, count, date, elapsed, num } from "../format.js";
import { link } from "../route.js";
import { store } from "../store.js";
import { backendRows, clientLink, clientRows, isInTransaction, poolLink } from "./lists.js";
import { crumb, empty, Facts, factsCard, heading } from "./parts.js";
import { backendsTable, tableCard } from "./tables.js";

export function build([key]) {
  return key ? one(key) : all();
}

function all() {
  const table = backendsTable();
  return {
    title: "Backends",
    needs: ["servers"],
    search: table.search,
    nodes: [heading("Backends"), tableCard("PostgreSQL processes", table)],
    update: () => table.update(backendRows()),
  };
}

function one(key) {
  const facts = new Facts();
  const costs = new Facts();
  const state = h("span", { class: "badge" });
  const find = () => backendRows().find((each) => each.key === key);
  const tools = h(
    "div",
    { class: "tools" },
    cancelButton(Number(key)),
    endBackendButton(Number(key), find),
  );
  const gone = empty(
    "This backend is gone",
    "Its connection was closed. Another process may get the same number one day.",
  );
  const costCard = factsCard("What it did since it connected", costs);
  const cards = h("div", { class: "split" }, factsCard("Backend", facts), costCard);
  return {
    title: `Backend ${key}`,
    needs: ["servers", "clients"],
    before: [crumb(link("backends"), "Backends")],
    nodes: [heading(`Backend ${key}`, state, tools), gone, cards],
    update() {
      const row = find();
      gone.hidden = Boolean(row) || !store.lists.servers;
      cards.hidden = !row;
      state.hidden = !row;
      tools.hidden = !row?.pid; // one that is being connected has none
      if (!row) return;
      setText(state, row.state || row.serverState);
      state.className = `badge ${isInTransaction(row.state) ? "warn" : row.state === "active" ? "busy" : ""}`;
      facts.update(factsOf(row));
      costCard.hidden = !row.backend?.costs;
      if (row.backend?.costs) costs.update(costsOf(row.backend.costs));
    },
  };
}

function clientOf(row) {
  if (!row.clientId) return "none now";
  const client = clientRows().find((each) => each.id === row.clientId);
  const name = client?.application_name ? ` (${client.application_name})` : "";
  return h("a", { href: clientLink(row.clientId), text: `${row.clientId}${name}` });
}

function factsOf(row) {
  const connection = row.server?.connection;
  return [
    ["Client", row.server ? clientOf(row) : ""],
    [
      "Pool",
      row.server
        ? h("a", { href: poolLink(row.database, row.user), text: `${row.database} / ${row.user}` })
        : "",
    ],
    ["Database", row.server ? "" : row.database],
    ["Role", row.server ? "" : row.user],
    ["Application", row.application_name],
    [
      "Through",
      row.kind === "agent" ? `agent ${row.backend?.agent_name ?? ""}` : "a direct connection",
    ],
    ["State", row.state ? `${row.state} for ${elapsed(row.stateFor)}` : ""],
    ["In the pool", row.serverState],
    ["Comes from", row.client_addr],
    [
      "Connected",
      `${date(connection?.connected_at ?? row.backend?.connected_at)}, ${elapsed(row.age)} ago`,
    ],
    ["Its login took", num(row.backend?.login_us) ? elapsed(row.backend.login_us) : ""],
    ["Prepared statements", connection ? count(connection.prepared_statements) : ""],
    ["Leaves", row.closing ? "at the next opportunity" : ""],
  ];
}

function costsOf(costs) {
  const hits = num(costs.block_hit_count);
  const blocks = hits + num(costs.block_read_count);
  return [
    ["Statements", count(costs.statement_count)],
    [
      "Transactions",
      `${count(costs.xact_commit_count)} committed, ${count(costs.xact_rollback_count)} rolled back`,
    ],
    ["Rows", count(costs.row_count)],
    ["Errors", count(costs.error_count)],
    ["Sent", bytes(costs.sent_bytes)],
    [
      "Blocks",
      blocks ? `${count(blocks)}, ${((100 * hits) / blocks).toFixed(1)} % found in memory` : "none",
    ],
    ["Temporary files", bytes(costs.temp_bytes)],
    ["Write-ahead log", bytes(costs.wal_bytes)],
    ["Working", elapsed(costs.active_us)],
    ["Idle", elapsed(costs.idle_us)],
    ["Idle in transaction", elapsed(costs.idle_in_transaction_us)],
  ];
}
