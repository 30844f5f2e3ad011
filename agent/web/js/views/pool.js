// One pool: its bays, its last minutes, who is in it.

import { pauseButton, resumeButton } from "../actions.js";
import { Bays, legend, Queue } from "../bays.js";
import { h, setText } from "../dom.js";
import { bytes, count, elapsed, num, rate } from "../format.js";
import { gaugesOf, poolKey } from "../history.js";
import { link } from "../route.js";
import { store } from "../store.js";
import { backendRows, clientRows, switchesOf } from "./lists.js";
import { queryChart, waitChart } from "./overview.js";
import { crumb, empty, heading, Tile } from "./parts.js";
import { backendsTable, clientsTable, tableCard } from "./tables.js";

function picture() {
  const bays = new Bays();
  const queue = new Queue();
  const text = h("p", { class: "muted number" });
  return {
    node: h(
      "section",
      { class: "card" },
      h(
        "div",
        { class: "card-head" },
        h("h2", { text: "Now" }),
        h("div", { class: "tools" }, legend()),
      ),
      h(
        "div",
        { class: "card-body stack" },
        h("div", { class: "pool-picture" }, queue.node, bays.node),
        text,
      ),
    ),
    update(gauges) {
      bays.update(gauges);
      queue.update(gauges.waiting);
      setText(
        text,
        `${count(gauges.active)} active, ${count(gauges.waiting)} waiting, ${count(gauges.idle)} idle clients; ` +
          `${count(gauges.serversActive)} of ${count(gauges.size)} server connections in use` +
          (gauges.pinned ? `, ${count(gauges.pinned)} pinned` : ""),
      );
    },
  };
}

function makeTiles() {
  return {
    transactions: new Tile("Transactions", (p) => p.transactions),
    queries: new Tile("Queries", (p) => p.queries),
    wait: new Tile("Wait p99", (p) => p.wait99),
    query: new Tile("Query p99", (p) => p.query99),
    traffic: new Tile("To clients"),
    errors: new Tile("Errors", (p) => p.errors),
  };
}

export function build([database, user]) {
  const isOurs = (row) => row.database === database && row.user === user;
  const tiles = makeTiles();
  const now = picture();
  const wait = waitChart("Wait time");
  const query = queryChart("Query time");
  const clients = clientsTable({ name: "c" });
  const backends = backendsTable({ name: "b" });
  const state = h("span", { class: "badge" });
  const tools = h("div", { class: "tools" }, pauseButton(database), resumeButton(database));
  const gone = empty(
    "This pool is gone",
    "Its last server connection was closed and no client is left. It comes back with the next client.",
  );
  const parts = h(
    "div",
    { class: "stack pool-parts" },
    now.node,
    h(
      "div",
      { class: "tiles" },
      Object.values(tiles).map((tile) => tile.node),
    ),
    h("div", { class: "charts" }, wait.node, query.node),
    tableCard("Clients", clients),
    tableCard("Backends", backends),
  );
  const [pause, resume] = tools.children;
  return {
    title: `${database} / ${user}`,
    needs: ["clients", "servers", "databases"],
    search: clients.search,
    nodes: [heading(`${database} / ${user}`, state, tools), gone, parts],
    before: [crumb(link("pools"), "Pools")],
    update() {
      const pool = (store.snapshot.pools ?? []).find(isOurs);
      gone.hidden = Boolean(pool);
      parts.hidden = !pool;
      const switches = switchesOf(database);
      pause.hidden = switches.paused;
      resume.hidden = !switches.paused;
      setText(
        state,
        switches.paused ? "paused" : switches.disabled ? "disabled" : (pool?.pool_mode ?? "gone"),
      );
      state.className = `badge ${switches.paused || switches.disabled ? "warn" : pool ? "ok" : ""}`;
      if (!pool) return;
      now.update(gaugesOf(pool.now ?? {}));
      const points = store.history.ofPool(poolKey(pool));
      updateTiles(tiles, pool, points);
      wait.update(points);
      query.update(points);
      clients.update(clientRows().filter(isOurs));
      backends.update(backendRows().filter((row) => row.server && isOurs(row)));
    },
  };
}

function updateTiles(tiles, pool, points) {
  const window = pool.window ?? {};
  const totals = pool.totals ?? {};
  const p99 = (time) =>
    num(time?.value_count)
      ? { value: elapsed(time.p99_us), note: `p50 ${elapsed(time.p50_us)}` }
      : { value: "–", note: "none just now" };
  tiles.transactions.update(
    {
      value: rate(window.transactions_per_s),
      unit: "/s",
      note: `${count(totals.transaction_count)} in all`,
    },
    points,
  );
  tiles.queries.update(
    { value: rate(window.queries_per_s), unit: "/s", note: `${count(totals.query_count)} in all` },
    points,
  );
  tiles.wait.update(p99(window.wait_time), points);
  tiles.query.update(p99(window.query_time), points);
  tiles.traffic.update(
    {
      value: bytes(window.to_clients_bytes_per_s),
      unit: "/s",
      note: `${bytes(window.from_clients_bytes_per_s)}/s from them`,
    },
    points,
  );
  tiles.errors.update(
    {
      value: rate(window.errors_per_s),
      unit: "/s",
      note: `${count(totals.error_count)} in all`,
      kind: num(window.errors_per_s) > 0 ? "bad" : "",
    },
    points,
  );
}
