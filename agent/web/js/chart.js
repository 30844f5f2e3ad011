// Lines over time, drawn as SVG, with a cursor that tells the values of a moment.

import { h, replace, setText, svg } from "./dom.js";
import { clock } from "./format.js";
import { SPAN_MS } from "./history.js";

const HEIGHT = 168;
const LEFT = 54;
const BOTTOM = 20;
const TOP = 8;
// Of these the first that what is known fits into.
const SPANS_MS = [60_000, 2 * 60_000, 5 * 60_000, SPAN_MS];

// The next of 1, 2, 5 times a power of ten.
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((each) => each * power >= value * 0.999);
  return step * power;
}

export class Chart {
  // options: {title, format: value => text, series: [{label, of: point => value or null}], least}
  // `least`: the axis reaches at least that far.
  constructor(options) {
    this.options = options;
    this.points = [];
    this.width = 600;
    this.hover = null;
    this.span = SPANS_MS[0];
    this.lines = options.series.map((_, i) => svg("path", { class: `s${i + 1}` }));
    this.area = svg("path", { class: "area s1" });
    this.axis = svg("g");
    this.cursor = svg("line", {
      class: "cursor",
      y1: TOP,
      y2: HEIGHT - BOTTOM,
      visibility: "hidden",
    });
    this.svg = svg(
      "svg",
      { role: "img", "aria-label": options.title },
      this.axis,
      this.area,
      [...this.lines].reverse(),
      this.cursor,
    );
    this.tip = h("div", { class: "tip", hidden: true });
    this.values = options.series.map(() => h("b"));
    const legend = h(
      "div",
      { class: "chart-legend" },
      options.series.map((series, i) =>
        h("span", null, h("i", { class: `key s${i + 1}` }), series.label, this.values[i]),
      ),
    );
    this.box = h("div", { class: "chart card-body" }, this.svg, this.tip);
    this.node = h(
      "section",
      { class: "card" },
      h("div", { class: "card-head" }, h("h2", { text: options.title }), legend),
      this.box,
    );
    new ResizeObserver(([entry]) => this.resize(entry.contentRect.width)).observe(this.svg);
    this.svg.addEventListener("pointermove", (event) => this.point(event.offsetX));
    this.svg.addEventListener("pointerleave", () => this.point(null));
  }

  resize(width) {
    if (width <= 0 || Math.abs(width - this.width) < 1) return;
    this.width = width;
    this.draw();
  }

  point(x) {
    this.hover = x;
    this.drawCursor();
  }

  update(points) {
    const end = points.at(-1)?.at ?? 0;
    const known = end - (points[0]?.at ?? end);
    this.span = SPANS_MS.find((each) => known <= each) ?? SPANS_MS.at(-1);
    this.points = points.filter((each) => each.at >= end - this.span - 2000);
    this.draw();
  }

  draw() {
    const { series, format, least, title } = this.options;
    const end = this.points.at(-1)?.at ?? 0;
    this.end = end;
    let most = least;
    for (const each of this.points) {
      for (const one of series) if (!each.gap) most = Math.max(most, one.of(each) ?? 0);
    }
    const step = nice(most / 3);
    this.top = step * Math.ceil((most / step) * 0.999);
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
    this.drawAxis(step);
    series.forEach((one, i) => this.lines[i].setAttribute("d", this.path(one)));
    this.area.setAttribute("d", this.areaOf(series[0]));
    const last = this.points.at(-1);
    const told = series.map((one, i) => {
      const value = last ? one.of(last) : null;
      const text = value === null || value === undefined ? "–" : format(value);
      setText(this.values[i], text);
      return `${one.label} ${text}`;
    });
    this.svg.setAttribute("aria-label", `${title}: ${told.join(", ")}`);
    this.drawCursor();
  }

  x(at) {
    return LEFT + (this.width - LEFT) * (1 - (this.end - at) / this.span);
  }

  y(value) {
    return TOP + (HEIGHT - BOTTOM - TOP) * (1 - value / this.top);
  }

  drawAxis(step) {
    const parts = [];
    for (let value = 0; value <= this.top * 1.001; value += step) {
      const y = Math.round(this.y(value)) + 0.5;
      parts.push(
        svg("line", { class: "grid", x1: LEFT, x2: this.width, y1: y, y2: y }),
        svg("text", {
          x: LEFT - 8,
          y: y + 4,
          "text-anchor": "end",
          text: this.options.format(value),
        }),
      );
    }
    const tick = this.span / (this.width > 330 && this.span > 120_000 ? 5 : 4);
    for (let age = tick; age < this.span; age += tick) {
      const label = age < 60_000 ? `−${age / 1000} s` : `−${age / 60_000} min`;
      parts.push(
        svg("text", {
          x: this.x(this.end - age),
          y: HEIGHT - 4,
          "text-anchor": "middle",
          text: label,
        }),
      );
    }
    parts.push(svg("text", { x: this.width, y: HEIGHT - 4, "text-anchor": "end", text: "now" }));
    replace(this.axis, parts);
  }

  // Runs of neighbours that have a value.
  runs(series) {
    const runs = [];
    let run = null;
    for (const each of this.points) {
      const value = each.gap ? null : series.of(each);
      if (value === null || value === undefined || each.at < this.end - this.span) {
        run = null;
        continue;
      }
      if (!run) runs.push((run = []));
      run.push([this.x(each.at), this.y(value)]);
    }
    return runs;
  }

  path(series) {
    return this.runs(series)
      .map((run) => {
        const line = run.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");
        return run.length === 1 ? `M${line}h0.01` : `M${line}`;
      })
      .join("");
  }

  areaOf(series) {
    const base = this.y(0).toFixed(1);
    return this.runs(series)
      .filter((run) => run.length > 1)
      .map((run) => {
        const line = run.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");
        return `M${run[0][0].toFixed(1)} ${base}L${line}L${run.at(-1)[0].toFixed(1)} ${base}Z`;
      })
      .join("");
  }

  drawCursor() {
    const at =
      this.hover === null
        ? null
        : this.end - (1 - (this.hover - LEFT) / (this.width - LEFT)) * this.span;
    const near = at === null || this.hover < LEFT ? null : this.nearest(at);
    this.tip.hidden = !near;
    this.cursor.setAttribute("visibility", near ? "visible" : "hidden");
    if (!near) return;
    const x = this.x(near.at);
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
    replace(
      this.tip,
      h("div", { class: "muted", text: clock(near.at) }),
      this.options.series.map((series, i) => {
        const value = series.of(near);
        return h(
          "div",
          null,
          h("i", { class: `key s${i + 1}` }),
          ` ${series.label} `,
          h("b", {
            class: "number",
            text: value === null || value === undefined ? "–" : this.options.format(value),
          }),
        );
      }),
    );
    const isRight = x > this.width / 2;
    this.tip.style.left = isRight ? "auto" : `${x + 26}px`;
    this.tip.style.right = isRight ? `${this.width - x + 26}px` : "auto";
  }

  nearest(at) {
    let best = null;
    for (const each of this.points) {
      if (!each.gap && (!best || Math.abs(each.at - at) < Math.abs(best.at - at))) best = each;
    }
    return best && Math.abs(best.at - at) < 10_000 ? best : null;
  }
}

// A small line without axes: the last minutes of one number.
export class Spark {
  constructor(of) {
    this.of = of;
    this.area = svg("path", { class: "area" });
    this.line = svg("path");
    this.node = svg(
      "svg",
      { class: "spark", viewBox: "0 0 100 26", preserveAspectRatio: "none", "aria-hidden": "true" },
      this.area,
      this.line,
    );
  }

  update(points) {
    const values = points
      .filter((point) => !point.gap)
      .slice(-120)
      .map((point) => this.of(point) ?? 0);
    if (values.length < 2) return;
    const most = Math.max(...values, 1e-9);
    const line = values
      .map(
        (value, i) =>
          `${((i * 100) / (values.length - 1)).toFixed(2)} ${(25 - (value / most) * 23).toFixed(2)}`,
      )
      .join("L");
    this.line.setAttribute("d", `M${line}`);
    this.area.setAttribute("d", `M0 26L${line}L100 26Z`);
  }
}
