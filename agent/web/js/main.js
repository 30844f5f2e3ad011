// The page: its frame, which view is shown, and how it is with the agent.

import { hasToken, setToken } from "./api.js";
import { askForToken, isOpen, toast } from "./dialogs.js";
import { h, replace, setClass, setText } from "./dom.js";
import { bytes, count, elapsed, num } from "./format.js";
import { listen, showHelp } from "./keys.js";
import { parse } from "./route.js";
import { store } from "./store.js";
import { toggleTheme } from "./theme.js";
import * as alerts from "./views/alerts.js";
import * as backends from "./views/backends.js";
import * as clients from "./views/clients.js";
import * as events from "./views/events.js";
import * as leaks from "./views/leaks.js";
import { leakCount, waitingCount } from "./views/lists.js";
import * as overview from "./views/overview.js";
import { empty, heading } from "./views/parts.js";
import * as pins from "./views/pins.js";
import * as pool from "./views/pool.js";
import * as pools from "./views/pools.js";
import * as settings from "./views/settings.js";
import * as waits from "./views/waits.js";

// In the order of the list at the side: name in the address, label, module, number beside it.
const VIEWS = [
  ["", "Overview", overview],
  ["pools", "Pools", pools, () => [(store.snapshot.pools ?? []).length]],
  ["clients", "Clients", clients, () => [num(store.snapshot.agent?.clients)]],
  ["backends", "Backends", backends, () => [(store.snapshot.extension?.backends ?? []).length]],
  ["waits", "Waits", waits, () => [waitingCount(), "warn"]],
  ["pins", "Pins", pins, () => [(store.snapshot.pins ?? []).length, "pin"]],
  ["leaks", "Leaks", leaks, () => [leakCount(), "bad"]],
  ["alerts", "Alerts", alerts, () => [alerts.alerts().length, alerts.worstKind()]],
  ["events", "Events", events],
  ["settings", "Settings", settings],
];

const by = (id) => document.getElementById(id);
let view = null;
let shownPath = null;
const counts = new Map();

function moduleOf(route) {
  if (route.view === "pools" && route.parts.length === 2) return pool;
  return VIEWS.find(([name]) => name === route.view)?.[2] ?? null;
}

function show() {
  const route = parse(location.hash);
  const path = location.hash.split("?")[0];
  if (path === shownPath) return;
  const isFirst = shownPath === null;
  shownPath = path;
  const module = moduleOf(route);
  view = module ? module.build(route.parts) : lost();
  document.title = `${view.title} · pgvalet`;
  replace(by("main"), view.before ?? [], view.nodes);
  for (const [name, item] of counts) {
    if (name === route.view) item.link.setAttribute("aria-current", "page");
    else item.link.removeAttribute("aria-current");
  }
  if (!isFirst) {
    by("main").focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  store.need(view.needs, view.wantsEvents);
  update();
}

function lost() {
  return {
    title: "Not here",
    needs: [],
    update() {},
    nodes: [
      heading("Not here"),
      empty("There is no such view", "The list at the side has them all."),
    ],
  };
}

function buildFrame() {
  replace(
    by("nav"),
    VIEWS.map(([name, label]) => {
      const badge = h("span", { class: "count" });
      const link = h("a", { href: `#/${name}` }, label, badge);
      counts.set(name, { link, badge });
      return link;
    }),
  );
  by("theme").append("◐");
  by("theme").addEventListener("click", toggleTheme);
  by("help").addEventListener("click", showHelp);
  by("freshness").addEventListener("click", () => store.freeze(!store.frozen));
  by("login").addEventListener("click", logInOrOut);
  by("skip").addEventListener("click", (event) => {
    event.preventDefault();
    by("main").focus();
  });
}

function logInOrOut() {
  if (!hasToken()) return askForToken();
  setToken("");
  toast("Logged out");
  store.error = null;
  store.access = { may_act: false, has_tokens: true };
  store.snapshot = null;
  store.lists = {};
  store.forget();
  // What the token could see goes out of sight with it.
  shownPath = null;
  show();
  replace(by("agent"));
}

const STATES = {
  AGENT_STATE_RUNNING: ["running", "ok"],
  AGENT_STATE_STARTING: ["starting", "warn"],
  AGENT_STATE_DRAINING: ["draining", "warn"],
};

function updateAgent() {
  const agent = store.snapshot.agent ?? {};
  const [text, kind] = STATES[agent.state] ?? ["state unknown", "bad"];
  const where = `${location.host} · ${agent.version} · up ${elapsed(agent.uptime_us)} · ${count(agent.clients)} of ${count(agent.max_clients)} clients · ${bytes(agent.resident_bytes)}`;
  const box = by("agent");
  if (!box.firstChild) box.append(h("span"), h("span", { class: "where number" }));
  setText(box.firstChild, text);
  setClass(box.firstChild, `badge ${kind}`);
  setText(box.lastChild, where);
}

function updateCounts() {
  for (const [name, , , of] of VIEWS) {
    if (!of) continue;
    const [value, kind] = of();
    const { badge } = counts.get(name);
    setText(badge, count(value));
    setClass(badge, `count ${value > 0 ? (kind ?? "") : ""}`);
    // Zero of something that is fine to have none of needs no number.
    badge.hidden = value === 0 && kind !== undefined;
  }
}

const PHASES = {
  connecting: "connecting",
  live: "live",
  frozen: "frozen",
  hidden: "live",
  login: "log in",
  refused: "refused",
  lost: "no connection",
};

function updatePhase() {
  const { phase, error } = store;
  setText(by("freshness"), PHASES[phase]);
  setClass(
    by("freshness"),
    `pill ${phase === "live" || phase === "hidden" ? "live" : phase === "lost" || phase === "refused" ? "lost" : ""}`,
  );
  by("freshness").setAttribute("aria-pressed", String(store.frozen));
  const notice = by("connection");
  const seconds = Math.max(0, Math.ceil((store.retryAt - Date.now()) / 1000));
  const texts = {
    lost: `Connection lost: ${error?.message}. Trying again${seconds ? ` in ${seconds} s` : ""}.`,
    refused: `The agent does not let this page read: ${error?.message}.`,
    login: "The agent wants a token.",
  };
  setText(notice, texts[phase] ?? "");
  setClass(notice, phase === "login" ? "notice calm" : "notice");
  notice.hidden = !texts[phase];
  by("main").classList.toggle("blank", !isKnown());
  by("main").classList.toggle("stale", phase === "lost" && store.snapshot !== null);
  setText(by("login"), hasToken() ? "Log out" : "Log in");
  by("login").hidden = !hasToken() && !store.access.has_tokens && phase !== "login";
}

// Everything that the view needs has come.
function isKnown() {
  return store.snapshot !== null && view !== null && view.needs.every((name) => store.lists[name]);
}

let restarts = 0;
let asked = false;

function update() {
  updatePhase();
  if (store.phase === "login" && !asked && !isOpen()) {
    asked = true;
    askForToken();
  }
  if (store.phase === "live") asked = false;
  if (!store.snapshot || document.hidden) return;
  if (store.restarts > restarts) toast("The agent was restarted: its counters begin anew");
  restarts = store.restarts;
  updateAgent();
  updateCounts();
  if (store.phase !== "lost" && isKnown()) view.update();
}

buildFrame();
listen({
  views: VIEWS.map(([name]) => name),
  search: () => view?.search ?? null,
  up: () => {
    const [name, ...parts] = location.hash.replace(/^#\//, "").split("?")[0].split("/");
    if (parts.length > 0) location.hash = `#/${name}`;
  },
});
addEventListener("hashchange", show);
store.subscribe(update);
// Only the countdown to the next try changes between two answers.
setInterval(() => store.phase === "lost" && updatePhase(), 500);
show();
