// The keyboard: what each key does, and the page that says so.

import { help, isOpen } from "./dialogs.js";
import { store } from "./store.js";
import { toggleTheme } from "./theme.js";

const KEYS = [
  [["1", "…", "9", "0"], "go to a view, in the order of the list"],
  [["/"], "search"],
  [["j", "k"], "next row, row before"],
  [["Enter"], "open the row"],
  [["Esc"], "leave the search, or go up"],
  [["space"], "freeze the picture, or let it go on"],
  [["t"], "light or dark"],
  [["?"], "this list"],
];

export const showHelp = () => help(KEYS);

function step(by) {
  const links = [
    ...document.querySelectorAll("main tbody tr td:first-child a, main a.bays-row"),
  ].filter((link) => link.offsetParent);
  if (links.length === 0) return;
  const here = links.indexOf(document.activeElement);
  const next =
    here < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, here + by));
  links[next].focus();
  links[next].scrollIntoView({ block: "nearest" });
}

// `page`: {views: names in order, search: () => the field or null, up: () => void}
export function listen(page) {
  const actions = {
    "/": () => page.search()?.focus(),
    j: () => step(1),
    k: () => step(-1),
    t: toggleTheme,
    "?": showHelp,
    " ": () => store.freeze(!store.frozen),
    Escape: page.up,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isOpen()) return;
    const field = event.target.closest("input, select, textarea");
    if (field) {
      if (event.key === "Escape") field.blur();
      return;
    }
    if (event.key === " " && event.target.closest("button, a, [role=region]")) return;
    const digit = "1234567890".indexOf(event.key);
    if (digit >= 0 && event.key.length === 1 && digit < page.views.length) {
      location.hash = `#/${page.views[digit]}`;
      return;
    }
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
