// What was, one point per snapshot: of all pools together and of each pool.
//
// Kept here in the browser for as long as the page is open; what was before that the agent
// remembers, in coarser steps.

import { moment, num } from "./format.js";

const MAX_POINTS = 1100;
export const SPAN_MS = 15 * 60_000;
const MAX_POOLS = 300;
const MAX_GAP_MS = 15_000;

export const poolKey = (pool) => `${pool.database}\n${pool.user}`;

const NO_TIME = { value_count: 0, p50_us: 0, p90_us: 0, p99_us: 0 };

function point(at, window, now) {
  const wait = window?.wait_time ?? NO_TIME;
  const query = window?.query_time ?? NO_TIME;
  return {
    at,
    transactions: num(window?.transactions_per_s),
    queries: num(window?.queries_per_s),
    errors: num(window?.errors_per_s),
    // Nobody asked for a connection: there is no such wait.
    wait50: num(wait.value_count) ? num(wait.p50_us) : null,
    wait90: num(wait.value_count) ? num(wait.p90_us) : null,
    wait99: num(wait.value_count) ? num(wait.p99_us) : null,
    query50: num(query.value_count) ? num(query.p50_us) : null,
    query90: num(query.value_count) ? num(query.p90_us) : null,
    query99: num(query.value_count) ? num(query.p99_us) : null,
    ...now,
  };
}

export function gaugesOf(now) {
  return {
    active: num(now.clients_active),
    waiting: num(now.clients_waiting),
    idle: num(now.clients_idle),
    pinned: num(now.clients_pinned),
    serversActive: num(now.servers_active),
    serversIdle: num(now.servers_idle),
    serversBusy:
      num(now.servers_connecting) + num(now.servers_testing) + num(now.servers_canceling),
    size: num(now.pool_size),
    longestWait: num(now.longest_wait_us),
  };
}

export const serversOf = (gauges) => gauges.serversActive + gauges.serversIdle + gauges.serversBusy;

export function sumOf(pools) {
  const sum = gaugesOf({});
  for (const pool of pools) {
    const one = gaugesOf(pool.now ?? {});
    for (const name of Object.keys(sum)) {
      sum[name] = name === "longestWait" ? Math.max(sum[name], one[name]) : sum[name] + one[name];
    }
  }
  return sum;
}

function push(points, next) {
  const last = points.at(-1);
  // A line must not claim to know what happened while nobody looked.
  if (last && next.at - last.at > MAX_GAP_MS) points.push({ at: next.at - 1, gap: true });
  points.push(next);
  if (points.length > MAX_POINTS) points.splice(0, points.length - MAX_POINTS);
}

export class History {
  constructor() {
    this.clear();
  }

  clear() {
    this.totals = [];
    this.pools = new Map();
  }

  add(snapshot) {
    const at = moment(snapshot.time);
    const pools = snapshot.pools ?? [];
    push(this.totals, point(at, snapshot.totals_window, sumOf(pools)));
    const seen = new Set();
    for (const pool of pools) {
      const key = poolKey(pool);
      seen.add(key);
      if (!this.pools.has(key)) {
        if (this.pools.size >= MAX_POOLS) continue;
        this.pools.set(key, []);
      }
      push(this.pools.get(key), point(at, pool.window, gaugesOf(pool.now ?? {})));
    }
    for (const key of this.pools.keys()) if (!seen.has(key)) this.pools.delete(key);
  }

  // What the agent remembers goes before what was seen here.
  seed(answer) {
    const before = (known, points) => {
      const end = known[0]?.at ?? Infinity;
      const earlier = (points ?? [])
        .map((each) => point(moment(each.at), each.window, gaugesOf(each.now ?? {})))
        .filter((each) => each.at < end);
      known.unshift(...earlier);
    };
    before(this.totals, answer.totals?.points);
    for (const pool of answer.pools ?? []) {
      const known = this.pools.get(poolKey(pool));
      if (known) before(known, pool.points);
    }
  }

  ofPool(key) {
    return this.pools.get(key) ?? [];
  }
}
