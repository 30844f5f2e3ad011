// All clients; or one, with the backend that it has.

import { cancelButton, endClientButton } from "../actions.js";
import { h, setText } from "../dom.js";
import { bytes, count, date, elapsed, num } from "../format.js";
import { link } from "../route.js";
import { store } from "../store.js";
import { backendLink, clientRows, peerOf, poolLink } from "./lists.js";
import { crumb, empty, Facts, factsCard, heading } from "./parts.js";
import { clientsTable, tableCard } from "./tables.js";

export function build([id]) {
  return id ? one(id) : all();
}

function all() {
  const table = clientsTable();
  return {
    title: "Clients",
    needs: ["clients"],
    search: table.search,
    nodes: [heading("Clients"), tableCard("Connected to the agent", table)],
    update: () => table.update(clientRows()),
  };
}

function one(id) {
  const facts = new Facts();
  const state = h("span", { class: "badge" });
  const tools = h("div", { class: "tools" });
  const gone = empty(
    "This client is gone",
    "It has left, or was ended. Ids are never given again while the agent runs.",
  );
  const card = factsCard("Client", facts);
  let shownPid = -1;
  const showTools = (row) => {
    if (row?.pid === shownPid) return;
    shownPid = row?.pid;
    tools.replaceChildren(
      ...(row ? [row.pid ? cancelButton(row.pid) : "", endClientButton(row)] : []),
    );
  };
  return {
    title: `Client ${id}`,
    needs: ["clients"],
    before: [crumb(link("clients"), "Clients")],
    nodes: [heading(`Client ${id}`, state, tools), gone, card],
    update() {
      const row = clientRows().find((each) => each.id === id);
      gone.hidden = Boolean(row) || !store.lists.clients;
      card.hidden = !row;
      state.hidden = !row;
      showTools(row);
      if (!row) return;
      setText(state, row.state);
      state.className = `badge ${row.kind}`;
      facts.update(factsOf(row));
    },
  };
}

function factsOf(row) {
  const { connection } = row;
  return [
    ["Application", row.application_name],
    [
      "Pool",
      h("a", { href: poolLink(row.database, row.user), text: `${row.database} / ${row.user}` }),
    ],
    [
      "Backend",
      row.pid ? h("a", { href: backendLink(row.pid), text: `process ${row.pid}` }) : "none now",
    ],
    ["Waits for", row.waited ? elapsed(row.waited) : ""],
    ["Pinned for", row.pinned ? elapsed(row.pinned) : ""],
    ["Comes from", row.peer],
    ["Came in at", peerOf(connection.local)],
    ["Connected", `${date(connection.connected_at)}, ${elapsed(row.age)} ago`],
    ["Last request", row.request ? `${elapsed(row.request)} ago` : "none yet"],
    ["Prepared statements", count(connection.prepared_statements)],
    ["Not read by it yet", num(connection.unsent_bytes) ? bytes(connection.unsent_bytes) : ""],
    ["Leaves", connection.close_needed ? "at the next opportunity" : ""],
  ];
}
