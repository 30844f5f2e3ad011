// The tables that more than one view has.

import { h } from "../dom.js";
import { elapsed } from "../format.js";
import { Table } from "../table.js";
import { backendLink, clientLink, isInTransaction } from "./lists.js";

const badge = (text, kind) => ({
  text,
  node: (td) => {
    const shown = td.firstElementChild;
    if (shown?.textContent === text && shown.className === `badge ${kind}`) return;
    td.replaceChildren(h("span", { class: `badge ${kind}`, text }));
  },
});

export const time = (us, warnAt = Infinity, badAt = Infinity) => ({
  text: us > 0 ? elapsed(us) : "–",
  class: us >= badAt ? "bad" : us >= warnAt ? "warn" : us > 0 ? "" : "zero",
});

const name = {
  key: "application_name",
  label: "Application",
  class: "text",
  of: (row) => row.application_name ?? "",
};

const CLIENT_COLUMNS = [
  {
    key: "id",
    label: "Client",
    of: (row) => Number(row.id),
    show: (row) => ({ text: row.id }),
  },
  { key: "database", label: "Database", class: "text", of: (row) => row.database },
  { key: "user", label: "User", class: "text medium", of: (row) => row.user },
  name,
  {
    key: "state",
    label: "State",
    of: (row) => row.state,
    show: (row) => badge(row.state, row.kind),
  },
  {
    key: "waited",
    label: "Waits for",
    title: "How long it stands in line for a server connection",
    num: true,
    of: (row) => row.waited,
    show: (row) => time(row.waited, 1e5, 1e6),
    search: false,
  },
  {
    key: "request",
    label: "Last request",
    title: "Since its newest request began",
    num: true,
    class: "medium",
    of: (row) => row.request,
    show: (row) => time(row.request),
    search: false,
  },
  {
    key: "pid",
    label: "Backend",
    num: true,
    class: "medium",
    of: (row) => row.pid,
    show: (row) =>
      row.pid ? { text: row.pid, href: backendLink(row.pid) } : { text: "–", class: "zero" },
  },
  { key: "peer", label: "From", class: "wide", of: (row) => row.peer },
  {
    key: "age",
    label: "Connected",
    num: true,
    class: "extra",
    of: (row) => row.age,
    show: (row) => time(row.age),
    search: false,
  },
];

export function clientsTable(more = {}) {
  return new Table({
    label: "clients",
    key: (row) => row.id,
    href: (row) => clientLink(row.id),
    sort: "id",
    empty: { title: "No clients", text: "Nobody is connected to the agent." },
    columns: CLIENT_COLUMNS,
    ...more,
  });
}

function stateOf(row) {
  if (!row.state) return badge(row.serverState || "unknown", "");
  if (isInTransaction(row.state)) return badge(row.state, "warn");
  return badge(row.state, row.state === "active" ? "busy" : "");
}

const BACKEND_COLUMNS = [
  {
    key: "pid",
    label: "Process",
    of: (row) => row.pid,
    show: (row) => ({ text: row.pid || "new" }),
  },
  { key: "database", label: "Database", class: "text", of: (row) => row.database },
  { key: "user", label: "Role", class: "text medium", of: (row) => row.user },
  name,
  {
    key: "kind",
    label: "Through",
    title: "An agent, or a direct connection past it",
    class: "medium",
    of: (row) => row.kind ?? "",
  },
  { key: "state", label: "State", of: (row) => row.state || row.serverState, show: stateOf },
  {
    key: "for",
    label: "For",
    title: "Since when it is in that state",
    num: true,
    of: (row) => row.stateFor ?? 0,
    show: (row) => (isInTransaction(row.state) ? time(row.stateFor, 1e7, 6e7) : time(row.stateFor)),
    search: false,
  },
  {
    key: "lease",
    label: "In the pool",
    class: "wide",
    of: (row) => row.serverState,
    show: (row) => ({ text: row.serverState || "–", class: row.serverState ? "" : "zero" }),
  },
  {
    key: "client",
    label: "Client",
    num: true,
    class: "medium",
    of: (row) => Number(row.clientId || 0),
    show: (row) =>
      row.clientId
        ? { text: row.clientId, href: clientLink(row.clientId) }
        : { text: "–", class: "zero" },
  },
  {
    key: "age",
    label: "Connected",
    num: true,
    class: "extra",
    of: (row) => row.age,
    show: (row) => time(row.age),
    search: false,
  },
];

export function backendsTable(more = {}) {
  return new Table({
    label: "backends",
    key: (row) => row.key,
    href: (row) => backendLink(row.key),
    sort: "pid",
    empty: {
      title: "No backends",
      text: "The agent has no server connection, and the extension names none.",
    },
    columns: BACKEND_COLUMNS,
    ...more,
  });
}

// A card around a table: its name, how many, where to search.
export function tableCard(title, table, ...tools) {
  return h(
    "section",
    { class: "card" },
    h(
      "div",
      { class: "card-head" },
      h("h2", { text: title }),
      table.counted,
      h("div", { class: "tools" }, tools, table.search),
    ),
    h("div", { class: "table-space" }, table.node),
  );
}
