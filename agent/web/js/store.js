// What the page knows: the newest snapshot, the lists that the view needs, and how it is with the
// agent.  Whoever shows something subscribes.
//
//   phase  "connecting", "live", "frozen" (by the user), "hidden" (nobody looks),
//          "login" (a token is needed), "refused" (none would help), "lost"

import { ApiError, get } from "./api.js";
import { moment, num } from "./format.js";
import { History, SPAN_MS } from "./history.js";

const LIST_EVERY_MS = 2000;
const MIN_WAIT_MS = 500;
const MAX_RETRY_MS = 10_000;
const MAX_EVENTS = 4096;
const MAX_SEEDED_POOLS = 40;

const LISTS = {
  clients: ["control/clients", "clients"],
  servers: ["control/servers", "servers"],
  databases: ["control/databases", "databases"],
  settings: ["control/settings", "settings"],
};

class Store {
  constructor() {
    this.phase = "connecting";
    this.snapshot = null;
    this.history = new History();
    this.access = { may_act: false, has_tokens: false };
    this.lists = {};
    this.error = null;
    this.retryAt = 0;
    this.restarts = 0;
    this.frozen = false;
    this.needs = [];
    this.subscribers = new Set();
    this.timer = 0;
    this.failures = 0;
    this.running = false;
    this.again = false;
    this.listsAt = 0;
    this.skewMs = 0;
    this.wantsEvents = false;
    this.forget();
  }

  // Everything that was remembered of this agent.
  forget() {
    this.isSeeded = false;
    this.history.clear();
    this.events = [];
    this.eventsAfter = "0";
    this.eventsOf = null;
    this.eventsLost = 0;
  }

  subscribe(handler) {
    this.subscribers.add(handler);
  }

  tell() {
    for (const handler of this.subscribers) handler(this);
  }

  // The agent's time now, in milliseconds: this machine's clock may differ.
  now() {
    return this.phase === "live" ? Date.now() + this.skewMs : moment(this.snapshot?.time);
  }

  // Microseconds since a time in an answer; 0: absent.
  since(text) {
    return text ? Math.max(0, (this.now() - moment(text)) * 1000) : 0;
  }

  // Names of LISTS that are asked for from now on; and whether events are.
  need(names, wantsEvents = false) {
    this.needs = names;
    // What nobody asks for any more grows old.
    this.lists = Object.fromEntries(
      names.filter((name) => this.lists[name]).map((name) => [name, this.lists[name]]),
    );
    this.wantsEvents = wantsEvents;
    this.listsAt = 0;
    this.refresh();
  }

  refresh() {
    clearTimeout(this.timer);
    if (this.running) {
      this.again = true;
      return;
    }
    this.poll();
  }

  freeze(frozen) {
    this.frozen = frozen;
    if (!frozen) this.refresh();
    else this.to("frozen");
  }

  to(phase) {
    this.phase = phase;
    this.tell();
  }

  async poll() {
    if (this.frozen && this.snapshot) return this.to("frozen");
    if (document.hidden && this.snapshot) return this.to("hidden");
    this.running = true;
    let wait = MIN_WAIT_MS;
    try {
      const began = Date.now();
      await this.ask();
      this.failures = 0;
      this.error = null;
      const interval = num(this.snapshot.interval_us) / 1000;
      wait = Math.max(MIN_WAIT_MS, interval - (Date.now() - began));
      this.to(this.frozen ? "frozen" : "live");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      wait = this.failed(error);
    } finally {
      this.running = false;
    }
    if (this.again) wait = 0;
    this.again = false;
    this.retryAt = Date.now() + wait;
    this.timer = setTimeout(() => this.poll(), wait);
    if (this.phase === "lost") this.tell();
  }

  async ask() {
    if (!this.snapshot || this.error) this.access = await get("access");
    const snapshot = await get("stats/snapshot");
    this.take(snapshot);
    if (!this.isSeeded) await this.seed();
    if (Date.now() - this.listsAt < LIST_EVERY_MS) return;
    const names = this.needs;
    if (names.length === 0 && !this.wantsEvents) return;
    const answers = await Promise.all(names.map((name) => get(LISTS[name][0])));
    names.forEach((name, i) => {
      this.lists[name] = answers[i][LISTS[name][1]] ?? [];
    });
    if (names === this.needs) this.listsAt = Date.now();
    if (this.wantsEvents) await this.askForEvents();
  }

  // Those since the last ones; all that the agent keeps when it is another agent by now.
  async askForEvents() {
    const answer = await get(`events?after_sequence=${this.eventsAfter}`);
    if (answer.agent_started_at !== this.eventsOf) {
      const isOther = this.eventsOf !== null;
      this.eventsOf = answer.agent_started_at;
      this.events = [];
      if (isOther && this.eventsAfter !== "0") {
        this.eventsAfter = "0";
        return;
      }
    }
    this.eventsAfter = answer.next_after_sequence;
    this.eventsLost = num(answer.lost_count);
    this.events = [...this.events, ...(answer.events ?? [])].slice(-MAX_EVENTS);
  }

  // What was before this page was opened.  Of many pools it would be more than is worth waiting for.
  async seed() {
    this.isSeeded = true;
    if ((this.snapshot.pools ?? []).length > MAX_SEEDED_POOLS) return;
    const since = new Date(moment(this.snapshot.time) - SPAN_MS).toISOString();
    this.history.seed(await get(`stats/history?since=${since}`));
  }

  take(snapshot) {
    this.skewMs = moment(snapshot.time) - Date.now();
    if (
      snapshot.sequence === this.snapshot?.sequence &&
      snapshot.agent?.started_at === this.snapshot?.agent?.started_at
    )
      return;
    const before = this.snapshot?.agent?.started_at;
    if (before && before !== snapshot.agent?.started_at) this.restarts += 1;
    this.snapshot = snapshot;
    this.history.add(snapshot);
  }

  // How long to wait before the next try.
  failed(error) {
    this.error = error;
    this.failures += 1;
    if (error.status === 401) this.phase = "login";
    else if (error.status === 403) this.phase = "refused";
    else this.phase = "lost";
    const wait =
      this.phase === "lost"
        ? Math.min(MAX_RETRY_MS, 1000 * 2 ** (this.failures - 1))
        : MAX_RETRY_MS;
    this.retryAt = Date.now() + wait;
    this.tell();
    return wait;
  }
}

export const store = new Store();

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) store.refresh();
});
