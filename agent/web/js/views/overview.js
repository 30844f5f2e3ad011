// How it is going: the agent at a glance, its pools as car parks, the last minutes as lines.

import { Bays, legend, Queue } from "../bays.js";
import { Chart } from "../chart.js";
import { h, replace, setText } from "../dom.js";
import { count, elapsed, num, percent, rate } from "../format.js";
import { gaugesOf, poolKey, serversOf, sumOf } from "../history.js";
import { link } from "../route.js";
import { store } from "../store.js";
import { alertBanners } from "./alerts.js";
import { poolLink } from "./lists.js";
import { heading, Tile } from "./parts.js";

const MOST_POOLS = 20;

class PoolLine {
  constructor(pool) {
    this.bays = new Bays();
    this.queue = new Queue();
    this.rate = h("div", { class: "rate" });
    this.wait = h("div", { class: "rate" });
    this.node = h(
      "a",
      { class: "bays-row", href: poolLink(pool.database, pool.user) },
      h(
        "div",
        { class: "name", title: `${pool.database} / ${pool.user}` },
        pool.database,
        h("span", { text: ` / ${pool.user}` }),
      ),
      this.queue.node,
      this.bays.node,
      this.rate,
      this.wait,
      h("div", { class: "go", "aria-hidden": "true", text: "›" }),
    );
  }

  update(pool) {
    const gauges = gaugesOf(pool.now ?? {});
    this.bays.update(gauges);
    this.queue.update(gauges.waiting);
    setText(this.rate, `${rate(pool.window?.transactions_per_s)}/s`);
    const wait = pool.window?.wait_time;
    setText(this.wait, num(wait?.value_count) ? elapsed(wait.p99_us) : "–");
  }
}

// The busiest pools, as lines that stay where they are while they are shown.
class PoolLines {
  constructor() {
    this.lines = new Map();
    this.list = h("div", { class: "bays-list" });
    this.rest = h("div", { class: "table-more" });
    this.head = h(
      "div",
      { class: "bays-row bays-head", "aria-hidden": "true" },
      h("div", { text: "Pool" }),
      h("div", { class: "rate", text: "In line" }),
      h("div", { text: "Server connections" }),
      h("div", { class: "rate", text: "Transactions" }),
      h("div", { class: "rate", text: "Wait p99" }),
      h("div"),
    );
    this.node = h(
      "section",
      { class: "card" },
      h(
        "div",
        { class: "card-head" },
        h("h2", { text: "Pools" }),
        h("div", { class: "tools" }, legend()),
      ),
      h("div", { class: "table-space" }, this.head, this.list),
      this.rest,
    );
  }

  update(pools) {
    const weight = (pool) =>
      num(pool.now?.clients_waiting) * 1e6 +
      num(pool.window?.transactions_per_s) +
      num(pool.now?.clients_active);
    const kept =
      pools.length > MOST_POOLS
        ? [...pools].sort((a, b) => weight(b) - weight(a)).slice(0, MOST_POOLS)
        : pools;
    const nodes = kept.map((pool) => {
      const key = poolKey(pool);
      if (!this.lines.has(key)) this.lines.set(key, new PoolLine(pool));
      this.lines.get(key).update(pool);
      return this.lines.get(key).node;
    });
    if (
      nodes.length !== this.list.children.length ||
      nodes.some((node, i) => node !== this.list.children[i])
    )
      replace(this.list, nodes);
    this.head.hidden = nodes.length === 0;
    this.rest.hidden = pools.length <= kept.length;
    replace(
      this.rest,
      `The busiest ${kept.length} of ${count(pools.length)}.`,
      h("a", { href: link("pools"), text: "All pools" }),
    );
    if (nodes.length > 0) return;
    replace(
      this.list,
      h(
        "div",
        { class: "empty" },
        h("strong", { text: "No pools yet" }),
        h("p", {
          text: "A pool opens when the first client of a database and user comes. Point a client at the agent, and it appears here.",
        }),
      ),
    );
  }
}

function charts() {
  return {
    traffic: new Chart({
      title: "Per second",
      format: rate,
      least: 4,
      series: [
        { label: "transactions", of: (p) => p.transactions },
        { label: "queries", of: (p) => p.queries },
        { label: "errors", of: (p) => p.errors },
      ],
    }),
    wait: waitChart("Wait time"),
    query: queryChart("Query time"),
    clients: new Chart({
      title: "Clients",
      format: count,
      least: 4,
      series: [
        { label: "active", of: (p) => p.active },
        { label: "idle", of: (p) => p.idle },
        { label: "waiting", of: (p) => p.waiting },
      ],
    }),
  };
}

export const waitChart = (title) =>
  new Chart({
    title,
    format: elapsed,
    least: 1000,
    series: [
      { label: "p50", of: (p) => p.wait50 },
      { label: "p90", of: (p) => p.wait90 },
      { label: "p99", of: (p) => p.wait99 },
    ],
  });

export const queryChart = (title) =>
  new Chart({
    title,
    format: elapsed,
    least: 1000,
    series: [
      { label: "p50", of: (p) => p.query50 },
      { label: "p90", of: (p) => p.query90 },
      { label: "p99", of: (p) => p.query99 },
    ],
  });

export function build() {
  const tiles = {
    transactions: new Tile("Transactions", (p) => p.transactions),
    queries: new Tile("Queries", (p) => p.queries),
    waiting: new Tile("Clients waiting", (p) => p.waiting),
    wait: new Tile("Wait p99", (p) => p.wait99),
    servers: new Tile("Server connections", (p) => p.serversActive),
    errors: new Tile("Errors", (p) => p.errors),
  };
  const lines = new PoolLines();
  const drawn = charts();
  const banners = h("div", { class: "stack" });
  const server = h("p", { class: "muted number" });
  return {
    title: "Overview",
    needs: [],
    nodes: [
      heading("Overview", server),
      banners,
      h(
        "div",
        { class: "tiles" },
        Object.values(tiles).map((tile) => tile.node),
      ),
      lines.node,
      h(
        "div",
        { class: "charts" },
        Object.values(drawn).map((chart) => chart.node),
      ),
    ],
    update() {
      const { snapshot, history } = store;
      const pools = snapshot.pools ?? [];
      const points = history.totals;
      updateTiles(tiles, snapshot, sumOf(pools), points);
      setText(server, serverLine(snapshot));
      lines.update(pools);
      replace(banners, alertBanners(snapshot));
      banners.hidden = banners.children.length === 0;
      for (const chart of Object.values(drawn)) chart.update(points);
    },
  };
}

function updateTiles(tiles, snapshot, sum, points) {
  const window = snapshot.totals_window ?? {};
  const agent = snapshot.agent ?? {};
  const wait = window.wait_time ?? {};
  tiles.transactions.update(
    {
      value: rate(window.transactions_per_s),
      unit: "/s",
      note: `${count(snapshot.totals?.transaction_count)} since start`,
    },
    points,
  );
  tiles.queries.update(
    {
      value: rate(window.queries_per_s),
      unit: "/s",
      note: num(window.query_time?.value_count)
        ? `p99 ${elapsed(window.query_time.p99_us)}`
        : "none just now",
    },
    points,
  );
  tiles.waiting.update(
    {
      value: count(sum.waiting),
      note: sum.waiting
        ? `longest ${elapsed(sum.longestWait)}`
        : `of ${count(agent.clients)} clients`,
      kind: sum.waiting ? "warn" : "",
    },
    points,
  );
  tiles.wait.update(
    {
      value: num(wait.value_count) ? elapsed(wait.p99_us) : "–",
      note: num(wait.value_count) ? `p50 ${elapsed(wait.p50_us)}` : "nobody asked",
    },
    points,
  );
  tiles.servers.update(
    {
      value: count(sum.serversActive),
      unit: ` of ${count(serversOf(sum))}`,
      note: `in use; at most ${count(sum.size)}`,
    },
    points,
  );
  tiles.errors.update(
    {
      value: rate(window.errors_per_s),
      unit: "/s",
      note: `${count(snapshot.totals?.error_count)} since start`,
      kind: num(window.errors_per_s) > 0 ? "bad" : "",
    },
    points,
  );
}

function serverLine(snapshot) {
  const extension = snapshot.extension ?? {};
  if (!extension.available) return "";
  const summary = extension.summary ?? {};
  return `PostgreSQL: ${count(summary.connections)} of ${count(summary.max_connections)} connections (${percent(summary.used_share)})`;
}
