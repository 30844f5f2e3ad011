// Small things that views are made of.

import { h, replace, setClass, setText } from "../dom.js";
import { Spark } from "../chart.js";

export function heading(title, ...rest) {
  return h("div", { class: "head" }, h("h1", { text: title }), rest);
}

export function crumb(href, text) {
  return h("p", { class: "crumb" }, h("a", { href }, `← ${text}`));
}

export function empty(title, text) {
  return h(
    "div",
    { class: "card" },
    h("div", { class: "empty" }, h("strong", { text: title }), h("p", { text })),
  );
}

// A number with its name: update({value, unit, note, kind}).
export class Tile {
  constructor(label, of) {
    this.value = h("span");
    this.unit = h("small");
    this.note = h("div", { class: "note" });
    this.spark = of ? new Spark(of) : null;
    this.node = h(
      "div",
      { class: "card tile" },
      h("div", { class: "label", text: label }),
      h("div", { class: "value" }, this.value, this.unit),
      this.note,
      this.spark?.node,
    );
  }

  update({ value, unit = "", note = "", kind = "" }, points) {
    setText(this.value, value);
    setText(this.unit, unit);
    setText(this.note, note);
    setClass(this.node, `card tile ${kind}`);
    this.spark?.update(points);
  }
}

// Names and values, made anew only where one changed: update([[name, text or element], ...]).
export class Facts {
  constructor() {
    this.list = h("dl", { class: "facts" });
    this.shown = "";
  }

  update(facts) {
    const known = facts.filter(
      ([, value]) => value !== null && value !== undefined && value !== "",
    );
    const names = known.map(([name]) => name).join("\n");
    if (names !== this.shown) {
      this.shown = names;
      replace(
        this.list,
        known.flatMap(([name]) => [h("dt", { text: name }), h("dd")]),
      );
    }
    known.forEach(([, value], i) => {
      const cell = this.list.children[2 * i + 1];
      if (!(value instanceof Node)) setText(cell, value);
      else if (cell.firstElementChild?.outerHTML !== value.outerHTML) replace(cell, value);
    });
  }
}

export function factsCard(title, facts) {
  return h(
    "section",
    { class: "card" },
    h("div", { class: "card-head" }, h("h2", { text: title })),
    h("div", { class: "card-body" }, facts.list),
  );
}
