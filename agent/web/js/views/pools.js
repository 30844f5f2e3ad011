// All pools, as a table.

import { h } from "../dom.js";
import { count, elapsed, num, rate } from "../format.js";
import { gaugesOf, poolKey, serversOf } from "../history.js";
import { store } from "../store.js";
import { Table } from "../table.js";
import { poolLink, switchesOf } from "./lists.js";
import { heading } from "./parts.js";
import { reportedCard } from "./reported.js";
import { tableCard, time } from "./tables.js";

function meter(td, row) {
  let [inner] = td.children;
  if (!inner) {
    inner = h("span", { class: "meter", role: "img" }, h("i"), h("i", { class: "idle" }));
    td.append(inner);
  }
  const size = Math.max(row.now.size, serversOf(row.now), 1);
  inner.setAttribute(
    "aria-label",
    `${row.now.serversActive} in use, ${row.now.serversIdle} idle of ${row.now.size}`,
  );
  inner.children[0].style.width = `${(100 * row.now.serversActive) / size}%`;
  inner.children[1].style.width = `${(100 * (serversOf(row.now) - row.now.serversActive)) / size}%`;
}

export function poolRows() {
  return (store.snapshot?.pools ?? []).map((pool) => ({
    key: poolKey(pool),
    database: pool.database,
    user: pool.user,
    mode: pool.pool_mode,
    now: gaugesOf(pool.now ?? {}),
    window: pool.window ?? {},
    pool,
    switches: switchesOf(pool.database),
  }));
}

const percentile = (name) => ({
  num: true,
  search: false,
  of: (row) => (num(row.window[name]?.value_count) ? num(row.window[name].p99_us) : -1),
  show: (row) =>
    num(row.window[name]?.value_count)
      ? elapsed(row.window[name].p99_us)
      : { text: "–", class: "zero" },
});

const number = (of, text = count) => ({
  num: true,
  search: false,
  of,
  show: (row) => ({ text: text(of(row)), class: of(row) ? "" : "zero" }),
});

const COLUMNS = [
  { key: "database", label: "Database", class: "text", of: (row) => row.database },
  { key: "user", label: "User", class: "text", of: (row) => row.user },
  {
    key: "mode",
    label: "Mode",
    class: "wide",
    of: (row) => row.mode,
    show: (row) =>
      row.switches.paused ? { text: `${row.mode}, paused`, class: "warn" } : row.mode,
  },
  {
    key: "active",
    label: "Active",
    title: "Clients that hold a server connection",
    ...number((row) => row.now.active),
  },
  {
    key: "waiting",
    label: "Waiting",
    title: "Clients in line",
    num: true,
    search: false,
    of: (row) => row.now.waiting,
    show: (row) => ({ text: count(row.now.waiting), class: row.now.waiting ? "warn" : "zero" }),
  },
  {
    key: "idle",
    label: "Idle",
    title: "Clients that ask for nothing",
    class: "extra",
    ...number((row) => row.now.idle),
  },
  {
    key: "servers",
    label: "Servers",
    title: "Server connections",
    num: true,
    search: false,
    of: serversIn,
    show: (row) => `${count(serversIn(row))} / ${count(row.now.size)}`,
  },
  {
    key: "use",
    label: "In use",
    class: "medium",
    search: false,
    num: false,
    first: "desc",
    of: (row) => row.now.serversActive / Math.max(row.now.size, 1),
    show: (row) => ({ text: "", node: (td) => meter(td, row) }),
  },
  {
    key: "transactions",
    label: "Transactions/s",
    ...number((row) => num(row.window.transactions_per_s), rate),
  },
  {
    key: "queries",
    label: "Queries/s",
    class: "wide",
    ...number((row) => num(row.window.queries_per_s), rate),
  },
  { key: "wait", label: "Wait p99", class: "medium", ...percentile("wait_time") },
  { key: "query", label: "Query p99", class: "medium", ...percentile("query_time") },
  {
    key: "longest",
    label: "Longest wait",
    title: "Of the client that is first in line",
    class: "extra",
    num: true,
    search: false,
    of: (row) => row.now.longestWait,
    show: (row) => time(row.now.longestWait, 1e5, 1e6),
  },
];

export function build() {
  const table = new Table({
    label: "pools",
    key: (row) => row.key,
    href: (row) => poolLink(row.database, row.user),
    sort: "database",
    empty: {
      title: "No pools yet",
      text: "A pool opens when the first client of a database and user comes.",
    },
    columns: COLUMNS,
  });
  const reported = reportedCard();
  return {
    title: "Pools",
    needs: ["databases"],
    search: table.search,
    nodes: [heading("Pools"), tableCard("One for each database and user", table), reported.node],
    update() {
      table.update(poolRows());
      reported.update();
    },
  };
}

function serversIn(row) {
  return serversOf(row.now);
}
