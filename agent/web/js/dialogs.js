// Questions to the user: the browser's own dialogs, which keep the focus and end with Escape.

import { ApiError, get, setToken } from "./api.js";
import { h, setText } from "./dom.js";
import { store } from "./store.js";

function open(build) {
  const dialog = h("dialog");
  const close = () => dialog.close();
  dialog.append(build(close));
  const heading = dialog.querySelector("h2");
  heading.id = "dialog-title";
  dialog.setAttribute("aria-labelledby", "dialog-title");
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

export const isOpen = () => document.querySelector("dialog[open]") !== null;

export function toast(text, isBad = false) {
  const node = h("div", { class: isBad ? "toast bad" : "toast", text });
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), isBad ? 9000 : 5000);
}

export function askForToken(reason) {
  if (isOpen()) return;
  const input = h("input", {
    type: "password",
    id: "token",
    autocomplete: "off",
    required: true,
    spellcheck: "false",
  });
  const error = h("p", { class: "error", role: "alert" });
  open((close) =>
    h(
      "form",
      { method: "dialog", on: { submit: (event) => tryToken(event, input, error, close) } },
      h("h2", { text: "Log in" }),
      h("p", {
        text:
          reason ??
          "A token of the agent's token_file. Reading needs role read, acting role control.",
      }),
      h("div", null, h("label", { for: "token", text: "Token" }), input),
      error,
      h("p", { text: "It is kept in this tab until you close it or log out." }),
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "button", class: "plain", on: { click: close } }, "Not now"),
        h("button", { type: "submit", class: "plain primary" }, "Log in"),
      ),
    ),
  );
  input.focus();
}

async function tryToken(event, input, error, close) {
  event.preventDefault();
  setText(error, "");
  setToken(input.value.trim());
  try {
    store.access = await get("access");
    close();
    toast(store.access.may_act ? "Logged in: you may act" : "Logged in: you may read");
    store.refresh();
  } catch (failure) {
    if (!(failure instanceof ApiError)) throw failure;
    setToken("");
    setText(
      error,
      failure.status === 401 ? "The agent does not know this token." : failure.message,
    );
    input.select();
  }
}

// Asks, then does; stays open while that lasts, and closing it calls it off.
//   {title, text, action, isDanger, run: signal => promise, done: text}
export function confirm(question) {
  const abort = new AbortController();
  const error = h("p", { class: "error", role: "alert" });
  const no = h("button", { type: "button", class: "plain" }, "Cancel");
  const yes = h(
    "button",
    { type: "submit", class: `plain ${question.isDanger ? "danger" : "primary"}` },
    question.action,
  );
  const progress = h("p", {
    role: "status",
    hidden: true,
    text: question.waiting ?? "Asking the agent…",
  });
  const submit = async (event, close) => {
    event.preventDefault();
    yes.disabled = true;
    progress.hidden = false;
    setText(error, "");
    try {
      await question.run(abort.signal);
      close();
      toast(question.done);
      store.need(store.needs, store.wantsEvents);
    } catch (failure) {
      if (abort.signal.aborted) return;
      if (!(failure instanceof ApiError)) throw failure;
      yes.disabled = false;
      progress.hidden = true;
      setText(error, failure.message);
    }
  };
  const dialog = open((close) => {
    no.addEventListener("click", close);
    return h(
      "form",
      { method: "dialog", on: { submit: (event) => submit(event, close) } },
      h("h2", { text: question.title }),
      question.text.map((text) => h("p", { text })),
      progress,
      error,
      h("div", { class: "buttons" }, no, yes),
    );
  });
  dialog.addEventListener("close", () => abort.abort());
  no.focus();
}

export function help(keys) {
  if (isOpen()) return;
  open((close) =>
    h(
      "form",
      { method: "dialog", on: { submit: close } },
      h("h2", { text: "Keys" }),
      h(
        "div",
        { class: "keys" },
        keys.map(([names, text]) => [
          h(
            "span",
            null,
            names.map((name) => [h("kbd", { text: name }), " "]),
          ),
          h("span", { text }),
        ]),
      ),
      h("div", { class: "buttons" }, h("button", { type: "submit", class: "plain" }, "Close")),
    ),
  );
}
