// Pools that applications keep themselves and report to the agent.

import { h } from "../dom.js";
import { count, num } from "../format.js";
import { store } from "../store.js";
import { Table } from "../table.js";
import { tableCard, time } from "./tables.js";

const number = (key, label, more = {}) => ({
  key,
  label,
  num: true,
  search: false,
  of: (row) => num(row[key]),
  show: (row) => ({ text: count(row[key]), class: num(row[key]) ? "" : "zero" }),
  ...more,
});

const text = (key, label, more = {}) => ({
  key,
  label,
  class: "text",
  of: (row) => row[key] ?? "",
  ...more,
});

const COLUMNS = [
  text("application", "Application"),
  text("name", "Pool"),
  text("instance", "Process", { class: "text medium" }),
  text("kind", "Kind", { class: "wide" }),
  text("target", "Leads to", { class: "text wide" }),
  number("in_use", "In use"),
  number("idle", "Free", { class: "medium" }),
  number("waiting", "Waiting", {
    title: "Callers in line for a connection",
    show: (row) => ({ text: count(row.waiting), class: num(row.waiting) ? "warn" : "zero" }),
  }),
  number("max_connections", "Most", { title: "Connections that it may have", class: "medium" }),
  number("timeout_count", "Timeouts", {
    title: "Callers that got no connection in time, since it began to count",
    class: "wide",
  }),
  number("error_count", "Errors", { title: "Connections that failed", class: "extra" }),
  number("age_us", "Reported", {
    title: "How long ago",
    class: "extra",
    show: (row) => time(num(row.age_us)),
  }),
];

export const reportedRows = () =>
  (store.snapshot?.reported_pools ?? []).map((pool) => ({
    ...pool,
    key: JSON.stringify([pool.application, pool.name, pool.instance]),
  }));

// A card that is there when somebody reports: {node, update}.
export function reportedCard() {
  const table = new Table({
    label: "reported pools",
    name: "r",
    key: (row) => row.key,
    sort: "application",
    empty: { title: "None found", text: "No pool that is reported fits the search." },
    columns: COLUMNS,
  });
  const node = h("div", { hidden: true }, tableCard("Reported by applications", table));
  return {
    node,
    update() {
      const rows = reportedRows();
      node.hidden = rows.length === 0;
      table.update(rows);
    },
  };
}
