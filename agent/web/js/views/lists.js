// Rows that several views show, made of snapshot and lists.

import { moment, num } from "../format.js";
import { link } from "../route.js";
import { store } from "../store.js";

export const peerOf = (end) => (!end || end.addr === "unix" ? "unix" : `${end.addr}:${end.port}`);

const CLIENT_STATES = {
  CLIENT_STATE_LOGIN: ["logging in", ""],
  CLIENT_STATE_IDLE: ["idle", ""],
  CLIENT_STATE_WAITING: ["waiting", "warn"],
  CLIENT_STATE_ACTIVE: ["active", "busy"],
};

const SERVER_STATES = {
  SERVER_STATE_NEW: "connecting",
  SERVER_STATE_IDLE: "free",
  SERVER_STATE_USED: "free, to be checked",
  SERVER_STATE_ACTIVE: "in use",
  SERVER_STATE_TESTED: "being checked",
  SERVER_STATE_CANCELED: "kept for a cancel",
};

// Seconds as protobuf writes a duration, "1.5s", in microseconds.
const duration = (text) => Math.round(Number.parseFloat(text ?? "0") * 1e6);

export function clientRows() {
  return (store.lists.clients ?? []).map((client) => {
    const connection = client.connection ?? {};
    const [state, kind] = client.pinned_since
      ? ["pinned", "pin"]
      : (CLIENT_STATES[client.state] ?? [client.state, ""]);
    return {
      id: connection.id,
      database: connection.database,
      user: connection.user,
      application_name: connection.application_name,
      peer: peerOf(connection.peer),
      state,
      kind,
      waited: duration(client.waited),
      age: store.since(connection.connected_at),
      request: store.since(connection.request_at),
      pinned: store.since(client.pinned_since),
      pid: num(connection.server_pid),
      connection,
    };
  });
}

// Every backend that is known: to the agent, to the extension, or to both.
export function backendRows() {
  const rows = new Map();
  for (const server of store.lists.servers ?? []) {
    const connection = server.connection ?? {};
    const key = num(connection.server_pid) || `c${connection.id}`;
    rows.set(key, {
      key: String(key),
      pid: num(connection.server_pid),
      database: connection.database,
      user: connection.user,
      application_name: connection.application_name,
      kind: "agent",
      serverState: SERVER_STATES[server.state] ?? server.state,
      state: "",
      stateFor: 0,
      age: store.since(connection.connected_at),
      clientId: num(connection.linked_id) ? connection.linked_id : "",
      closing: connection.close_needed,
      server,
      backend: null,
    });
  }
  for (const backend of store.snapshot?.extension?.backends ?? []) {
    const known = rows.get(backend.pid);
    const row = known ?? {
      key: String(backend.pid),
      pid: backend.pid,
      database: backend.database_name,
      user: backend.role_name,
      application_name: backend.application_name,
      kind: backend.connection_kind,
      serverState: "",
      clientId: "",
      server: null,
    };
    Object.assign(row, {
      state: backend.state,
      stateFor: store.since(backend.state_since),
      age: store.since(backend.connected_at),
      client_addr: backend.client_addr || "unix",
      backend,
    });
    if (known) row.application_name = backend.application_name || known.application_name;
    rows.set(backend.pid, row);
  }
  return [...rows.values()];
}

export const isInTransaction = (state) => (state ?? "").startsWith("idle in transaction");

export const LEAK_US = 60e6;

// Backends that hold a transaction open and do nothing, for longer than a minute.
export function leakRows() {
  return backendRows().filter((row) => isInTransaction(row.state) && row.stateFor >= LEAK_US);
}

// Without asking cores for lists: for the number beside the view's name.
export function leakCount() {
  return (store.snapshot?.extension?.backends ?? []).filter(
    (backend) => isInTransaction(backend.state) && store.since(backend.state_since) >= LEAK_US,
  ).length;
}

export const waitingCount = () =>
  (store.snapshot?.pools ?? []).reduce((sum, pool) => sum + num(pool.now?.clients_waiting), 0);

export function switchesOf(database) {
  const row = (store.lists.databases ?? []).find((each) => each.database === database);
  return row ?? { paused: false, disabled: false };
}

export const backendLink = (key) => link("backends", key);
export const clientLink = (id) => link("clients", id);
export const poolLink = (database, user) => link("pools", database, user);
export const isKnown = (text) => moment(text) > 0;
