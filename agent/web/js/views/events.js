// What happened, newest first, as agent and extension told it.

import { h, setText } from "../dom.js";
import { count, date, moment, num } from "../format.js";
import { store } from "../store.js";
import { Table } from "../table.js";
import { heading } from "./parts.js";
import { tableCard } from "./tables.js";

const told = (event) =>
  num(event.left_out_count)
    ? `${event.message} (and ${count(event.left_out_count)} alike before it)`
    : event.message;

const COLUMNS = [
  {
    key: "at",
    label: "When",
    search: false,
    first: "desc",
    of: (event) => moment(event.at) + num(event.sequence) / 1e6,
    show: (event) => date(event.at),
  },
  { key: "kind", label: "What", of: (event) => event.kind.replaceAll("_", " ") },
  { key: "message", label: "Told", class: "wrap", of: told },
  { key: "database", label: "Database", class: "text medium", of: (event) => event.database },
  { key: "user", label: "User", class: "text medium", of: (event) => event.user },
  {
    key: "application",
    label: "Application",
    class: "text extra",
    of: (event) => event.application_name,
  },
  { key: "client", label: "Client", class: "extra", of: (event) => event.client },
  {
    key: "source",
    label: "From",
    class: "wide",
    of: (event) => (event.source === "EVENT_SOURCE_EXTENSION" ? "PostgreSQL" : "agent"),
  },
];

export function build() {
  const table = new Table({
    label: "events",
    key: (event) => event.sequence,
    sort: "-at",
    empty: {
      title: "Nothing happened",
      text: "Since it was started, the agent has had nothing to tell.",
    },
    columns: COLUMNS,
  });
  const lost = h("p", { class: "muted" });
  return {
    title: "Events",
    needs: [],
    wantsEvents: true,
    search: table.search,
    nodes: [heading("Events"), lost, tableCard("Newest first", table)],
    update() {
      lost.hidden = store.eventsLost === 0;
      setText(lost, `${count(store.eventsLost)} events are not kept any more.`);
      table.update(store.events);
    },
  };
}
