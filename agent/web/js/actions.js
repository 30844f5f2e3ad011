// What a control token may do, each after confirming.

import { post } from "./api.js";
import { askForToken, confirm, toast } from "./dialogs.js";
import { h } from "./dom.js";
import { store } from "./store.js";

// Why the user may not act now; empty: they may.
function whyNot() {
  if (store.access.may_act) return "";
  return store.access.has_tokens
    ? "This needs a token with role control."
    : "The agent has no token_file, so nobody may act.";
}

function button(text, isDanger, run) {
  const start = () => {
    const reason = whyNot();
    if (!reason) run();
    else if (store.access.has_tokens) askForToken(reason);
    else toast(reason, true);
  };
  return h(
    "button",
    {
      type: "button",
      class: `plain ${isDanger ? "danger" : ""}`,
      title: whyNot(),
      on: { click: start },
    },
    text,
  );
}

export const pauseButton = (database) =>
  button("Pause…", false, () =>
    confirm({
      title: `Pause ${database}?`,
      text: [
        "Clients of this database get no server connection until it is resumed; they wait. Transactions that run come to their end first.",
        "This pauses the database with all its pools.",
      ],
      action: "Pause",
      waiting:
        "Paused for new transactions. Waiting for those that run; cancelling this calls the pause off.",
      run: (signal) => post("control/pause", { database }, signal),
      done: `${database} is paused`,
    }),
  );

export const resumeButton = (database) =>
  button("Resume…", false, () =>
    confirm({
      title: `Resume ${database}?`,
      text: ["Clients that wait are served again."],
      action: "Resume",
      run: (signal) => post("control/resume", { database }, signal),
      done: `${database} goes on`,
    }),
  );

export const endClientButton = (client) =>
  button("End client…", true, () =>
    confirm({
      title: `End client ${client.id}?`,
      text: [
        `Its connection is closed, with error 57P01. ${describe(client)}`,
        "What it has not committed is rolled back.",
      ],
      action: "End client",
      isDanger: true,
      run: (signal) => post("control/kill_client", { id: client.id }, signal),
      done: `Client ${client.id} is ended`,
    }),
  );

export const cancelButton = (pid) =>
  button("Cancel statement…", true, () =>
    confirm({
      title: `Cancel what backend ${pid} does?`,
      text: [
        "The statement that its client runs now fails with error 57014. The client stays connected.",
      ],
      action: "Cancel statement",
      isDanger: true,
      run: (signal) => post("control/cancel_backend", { pid }, signal),
      done: `The statement of backend ${pid} was cancelled`,
    }),
  );

// row: as backendRows() makes them; asked for when the button is used.
export const endBackendButton = (pid, rowNow) =>
  button("End backend…", true, () => {
    const row = rowNow();
    confirm({
      title: `End backend ${pid}?`,
      text: [
        `The server ends the process and its connection, with error 57P01. ${row ? describeBackend(row) : ""}`,
        "What it has not committed is rolled back.",
      ],
      action: "End backend",
      isDanger: true,
      run: (signal) => post("control/end_backend", { pid }, signal),
      done: `Backend ${pid} was told to end`,
    });
  });

function describeBackend(row) {
  const whose = row.clientId
    ? `It works for client ${row.clientId} of the agent.`
    : row.server
      ? "It is a server connection of the agent that no client has now."
      : `It does not belong to this agent: ${row.kind === "agent" ? "another agent" : "a program"} connected it.`;
  return `${describe(row)} ${whose}`;
}

function describe(client) {
  const name = client.application_name
    ? `“${client.application_name}”`
    : "without application_name";
  return `It is ${name}, user ${client.user} of ${client.database}.`;
}
