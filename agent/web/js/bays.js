// The picture of a pool: a bay for each server connection it may have, and the line before it.

import { h, replace, setClass, setText } from "./dom.js";
import { count, many } from "./format.js";
import { gaugesOf, serversOf } from "./history.js";

const MOST_BAYS = 60;
const MOST_DOTS = 8;

function kinds(gauges) {
  const pinned = Math.min(gauges.pinned, gauges.serversActive);
  const free = Math.max(0, gauges.size - serversOf(gauges));
  return [
    ["active", gauges.serversActive - pinned],
    ["pinned", pinned],
    ["busy", gauges.serversBusy],
    ["idle", gauges.serversIdle],
    ["", free],
  ];
}

export class Bays {
  constructor() {
    this.node = h("div", { class: "bays", role: "img", "aria-label": "server connections" });
  }

  update(gauges) {
    const parts = kinds(gauges);
    const total = parts.reduce((sum, [, n]) => sum + n, 0);
    this.node.setAttribute(
      "aria-label",
      `${gauges.serversActive} in use, ${gauges.serversIdle} idle, ${gauges.serversBusy} being made ready, of ${gauges.size}`,
    );
    if (total > MOST_BAYS) this.long(parts, total);
    else this.each(parts);
  }

  each(parts) {
    setClass(this.node, "bays");
    const wanted = parts.flatMap(([kind, n]) => Array(n).fill(kind));
    while (this.node.children.length > wanted.length) this.node.lastChild.remove();
    wanted.forEach((kind, i) => {
      const bay = this.node.children[i] ?? this.node.appendChild(h("i"));
      bay.removeAttribute("style");
      setClass(bay, kind);
    });
  }

  long(parts, total) {
    setClass(this.node, "bays long");
    replace(
      this.node,
      parts.map(([kind, n]) => {
        const part = h("i", { class: kind });
        part.style.flexGrow = n / total;
        return part;
      }),
    );
  }
}

export class Queue {
  constructor() {
    this.text = h("b");
    this.none = h("span", { class: "none", text: "no line" });
    this.node = h("div", { class: "queue" });
    this.shown = -1;
  }

  update(waiting) {
    setText(this.text, count(waiting));
    this.node.setAttribute("title", many(waiting, "client") + " waiting");
    const dots = Math.min(waiting, MOST_DOTS);
    if (dots === this.shown) return;
    this.shown = dots;
    replace(
      this.node,
      dots === 0 ? this.none : [Array.from({ length: dots }, () => h("i")), this.text],
    );
  }
}

export function legend() {
  const bay = (kind, text) =>
    h("span", null, h("span", { class: "bays" }, h("i", { class: kind })), text);
  return h(
    "div",
    { class: "legend" },
    bay("active", "in use"),
    bay("pinned", "pinned"),
    bay("idle", "idle"),
    bay("busy", "connecting or checked"),
    bay("", "not opened"),
    h("span", null, h("span", { class: "queue" }, h("i")), "client waiting"),
  );
}

export { gaugesOf };
