// How long clients stand in line: percentiles over time, and who stands there now.

import { Chart } from "../chart.js";
import { h } from "../dom.js";
import { count, elapsed, num } from "../format.js";
import { sumOf } from "../history.js";
import { store } from "../store.js";
import { clientRows } from "./lists.js";
import { waitChart } from "./overview.js";
import { heading, Tile } from "./parts.js";
import { clientsTable, tableCard } from "./tables.js";

function makeTiles() {
  return {
    now: new Tile("In line now"),
    longest: new Tile("Longest so far"),
    share: new Tile("Waited at all"),
    timeouts: new Tile("Gave up"),
  };
}

export function build() {
  const wait = waitChart("Wait time");
  const line = new Chart({
    title: "Clients in line",
    format: count,
    least: 4,
    series: [{ label: "waiting", of: (p) => p.waiting }],
  });
  const tiles = makeTiles();
  const table = clientsTable({
    sort: "-waited",
    empty: { title: "Nobody waits", text: "Every client that asked has its server connection." },
  });
  return {
    title: "Waits",
    needs: ["clients"],
    search: table.search,
    nodes: [
      heading("Waits"),
      h(
        "div",
        { class: "tiles four" },
        Object.values(tiles).map((tile) => tile.node),
      ),
      h("div", { class: "charts" }, wait.node, line.node),
      tableCard("In line now", table),
    ],
    update() {
      const sum = sumOf(store.snapshot.pools ?? []);
      const totals = store.snapshot.totals ?? {};
      const leases = num(totals.lease_count);
      tiles.now.update({
        value: count(sum.waiting),
        kind: sum.waiting ? "warn" : "",
        note: `${count(sum.active)} are served`,
      });
      tiles.longest.update({
        value: sum.longestWait ? elapsed(sum.longestWait) : "–",
        note: "of who is in line",
      });
      tiles.share.update({
        value: leases ? ((100 * num(totals.lease_wait_count)) / leases).toFixed(1) : "–",
        unit: leases ? "%" : "",
        note: `of ${count(leases)} leases since start`,
      });
      tiles.timeouts.update({
        value: count(totals.lease_timeout_count),
        note: "past query_wait_timeout",
        kind: num(totals.lease_timeout_count) ? "bad" : "",
      });
      wait.update(store.history.totals);
      line.update(store.history.totals);
      table.update(clientRows().filter((row) => row.state === "waiting"));
    },
  };
}
