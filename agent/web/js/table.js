// A list that sorts, searches and stays fast: rows are kept and changed in place, and no more are
// made than asked for.
//
// A column: {key, label, title?, num?, class?, of: row => value to sort and search by,
//            show?: row => text or {text, class, href, title, node}, first?: "desc", search?: false}
//   node: (td, row) => void draws the cell itself.

import { h, replace, setClass, setText } from "./dom.js";
import { count } from "./format.js";
import { parse, remember } from "./route.js";

const PAGE = 200;

export class Table {
  // options: {label, columns, key: row => id, href?: row => address, sort: "-key", empty: {title,
  // text}, search?: false, name?: prefix of its parameters in the address}
  constructor(options) {
    this.options = options;
    this.rows = [];
    this.made = new Map();
    this.limit = PAGE;
    const params = parse(location.hash).params;
    this.prefix = options.name ? `${options.name}.` : "";
    this.query = params.get(`${this.prefix}q`) ?? "";
    this.sort = params.get(`${this.prefix}sort`) ?? options.sort;
    if (!this.columnOf(this.sort)) this.sort = options.sort;
    this.build();
  }

  columnOf(sort) {
    return this.options.columns.find((column) => column.key === sort.replace(/^-/, ""));
  }

  build() {
    const { columns, label } = this.options;
    this.heads = columns.map((column) =>
      h(
        "th",
        { scope: "col", class: classOf(column), title: column.title },
        h("button", { type: "button", on: { click: () => this.sortBy(column) } }, column.label),
      ),
    );
    this.body = h("tbody");
    this.table = h(
      "table",
      null,
      h("caption", { class: "hidden-text", text: label }),
      h("thead", null, h("tr", null, this.heads)),
      this.body,
    );
    this.scroll = h(
      "div",
      { class: "table-scroll", role: "region", "aria-label": label, tabindex: "0" },
      this.table,
    );
    this.search = h("input", {
      type: "search",
      placeholder: "Search",
      "aria-label": `Search ${label}`,
      value: this.query,
      spellcheck: "false",
      on: { input: () => this.searchFor(this.search.value) },
    });
    this.empty = h("div", { class: "empty" }, h("strong"), h("p"));
    this.moreText = h("span");
    this.more = h(
      "div",
      { class: "table-more" },
      this.moreText,
      h(
        "button",
        { type: "button", class: "plain", on: { click: () => this.showMore() } },
        "Show more",
      ),
    );
    this.counted = h("span", { class: "muted number", role: "status" });
    this.node = h("div", null, this.scroll, this.empty, this.more);
    this.showSort();
  }

  sortBy(column) {
    const descending =
      this.sort === column.key
        ? true
        : this.sort === `-${column.key}`
          ? false
          : column.first === "desc" || column.num;
    this.sort = (descending ? "-" : "") + column.key;
    remember({ [`${this.prefix}sort`]: this.sort === this.options.sort ? "" : this.sort });
    this.showSort();
    this.draw();
  }

  showSort() {
    this.heads.forEach((head, i) => {
      const key = this.options.columns[i].key;
      if (this.sort === key) head.setAttribute("aria-sort", "ascending");
      else if (this.sort === `-${key}`) head.setAttribute("aria-sort", "descending");
      else head.removeAttribute("aria-sort");
    });
  }

  searchFor(text) {
    this.query = text;
    this.limit = PAGE;
    remember({ [`${this.prefix}q`]: text });
    this.draw();
  }

  showMore() {
    this.limit += PAGE * 5;
    this.draw();
  }

  update(rows) {
    this.rows = rows;
    this.draw();
  }

  found() {
    const words = this.query.toLowerCase().split(/\s+/).filter(Boolean);
    const columns = this.options.columns.filter((column) => column.search !== false);
    const rows =
      words.length === 0
        ? [...this.rows]
        : this.rows.filter((row) => {
            const text = columns
              .map((column) => textOf(column, row))
              .join("\n")
              .toLowerCase();
            return words.every((word) => text.includes(word));
          });
    const column = this.columnOf(this.sort);
    const sign = this.sort.startsWith("-") ? -1 : 1;
    const key = this.options.key;
    // The key decides between equals, so that rows do not jump about.
    return rows
      .map((row) => [column.of(row), row])
      .sort((a, b) => sign * compare(a[0], b[0]) || compare(key(a[1]), key(b[1])))
      .map((pair) => pair[1]);
  }

  draw() {
    const rows = this.found();
    const shown = rows.slice(0, this.limit);
    const used = new Set();
    let place = this.body.firstChild;
    for (const row of shown) {
      const key = this.options.key(row);
      if (used.has(key)) continue;
      used.add(key);
      const made = this.made.get(key) ?? this.make(key);
      this.fill(made, row);
      if (made.node === place) place = place.nextSibling;
      else this.body.insertBefore(made.node, place);
    }
    for (const [key, made] of this.made) {
      if (used.has(key)) continue;
      made.node.remove();
      this.made.delete(key);
    }
    this.table.setAttribute("aria-rowcount", rows.length + 1);
    this.showRest(rows.length, shown.length);
  }

  showRest(found, shown) {
    this.scroll.hidden = found === 0;
    this.empty.hidden = found > 0;
    this.more.hidden = shown >= found;
    setText(this.moreText, `The first ${count(shown)} of ${count(found)} are shown.`);
    const total = this.rows.length;
    setText(this.counted, this.query ? `${count(found)} of ${count(total)}` : count(total));
    if (found > 0) return;
    const { title, text } = this.options.empty;
    setText(this.empty.firstChild, total > 0 ? "Nothing matches" : title);
    setText(
      this.empty.lastChild,
      total > 0 ? `None of ${count(total)} has “${this.query}” in it.` : text,
    );
  }

  make(key) {
    const cells = this.options.columns.map((column) => h("td", { class: classOf(column) }));
    const made = { node: h("tr", null, cells), cells, shown: [], href: "" };
    made.node.addEventListener("click", (event) => {
      if (made.href && !event.target.closest("a, button") && !String(getSelection()))
        location.hash = made.href;
    });
    this.made.set(key, made);
    return made;
  }

  fill(made, row) {
    made.href = this.options.href?.(row) ?? "";
    setClass(made.node, made.href ? "open" : "");
    this.options.columns.forEach((column, i) => {
      const show = column.show ? column.show(row) : column.of(row);
      const cell = show !== null && typeof show === "object" ? show : { text: show };
      if (i === 0 && made.href) cell.href = made.href;
      const cached = `${cell.text}\n${cell.class ?? ""}\n${cell.href ?? ""}\n${cell.title ?? ""}`;
      if (cell.node) cell.node(made.cells[i], row);
      else if (made.shown[i] !== cached) put(made.cells[i], column, cell);
      made.shown[i] = cached;
    });
  }
}

function put(td, column, cell) {
  const text = String(cell.text ?? "");
  setClass(td, `${classOf(column)}${cell.class ? ` ${cell.class}` : ""}`);
  const title = cell.title ?? (column.class?.includes("text") && text.length > 16 ? text : "");
  if (title) td.title = title;
  else td.removeAttribute("title");
  const link = td.firstElementChild;
  // A link that stays the same element keeps the focus.
  if (cell.href && link?.localName === "a") {
    link.setAttribute("href", cell.href);
    setText(link, text);
  } else if (cell.href) {
    replace(td, h("a", { href: cell.href }, text));
  } else {
    setText(td, text);
  }
}

function classOf(column) {
  return [column.num ? "num" : "", column.class ?? ""].filter(Boolean).join(" ");
}

function textOf(column, row) {
  const show = column.show ? column.show(row) : column.of(row);
  return show !== null && typeof show === "object" ? (show.text ?? column.of(row)) : show;
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}
