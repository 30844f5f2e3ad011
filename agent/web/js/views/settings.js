// The settings in force, and where each came from.

import { Table } from "../table.js";
import { store } from "../store.js";
import { heading } from "./parts.js";
import { tableCard } from "./tables.js";

const COLUMNS = [
  { key: "key", label: "Setting", of: (row) => row.key },
  {
    key: "value",
    label: "Value",
    class: "text",
    of: (row) => row.value,
    show: (row) => ({
      text: row.value || "–",
      class: row.value === row.default_value ? "zero" : "",
    }),
  },
  { key: "meaning", label: "Meaning", class: "wrap medium", of: (row) => row.meaning },
  {
    key: "source",
    label: "From",
    class: "medium",
    of: (row) => row.source,
    show: (row) => ({
      text: row.source.replace(/^.*\//, ""),
      title: row.source,
      class: row.source === "default" ? "zero" : "",
    }),
  },
  {
    key: "default",
    label: "Default",
    class: "extra text",
    of: (row) => row.default_value,
    show: (row) => ({ text: row.default_value || "–", class: "zero" }),
  },
  {
    key: "restart",
    label: "Changes by",
    class: "wide",
    of: (row) => (row.needs_restart ? "restart" : "reload"),
  },
];

export function build() {
  const table = new Table({
    label: "settings",
    key: (row) => row.key,
    sort: "key",
    empty: { title: "No settings", text: "The agent has told none yet." },
    columns: COLUMNS,
  });
  return {
    title: "Settings",
    needs: ["settings"],
    search: table.search,
    nodes: [heading("Settings"), tableCard("In force", table)],
    update: () => table.update(store.lists.settings ?? []),
  };
}
