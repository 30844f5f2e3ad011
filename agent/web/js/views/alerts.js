// What is wrong and what to do about it, as the agent says.

import { h, replace } from "../dom.js";
import { count, elapsed } from "../format.js";
import { store } from "../store.js";
import { poolLink } from "./lists.js";
import { empty, heading } from "./parts.js";

// More would push everything else out of sight.
const MOST_BANNERS = 3;

const KINDS = { SEVERITY_CRITICAL: "bad", SEVERITY_WARNING: "warn" };
const RANKS = ["SEVERITY_CRITICAL", "SEVERITY_WARNING"];

const kindOf = (alert) => KINDS[alert.severity] ?? "";

const rank = (alert) => (RANKS.indexOf(alert.severity) + RANKS.length + 1) % (RANKS.length + 1);

// The worst first.
export const alerts = () => [...(store.snapshot?.alerts ?? [])].sort((a, b) => rank(a) - rank(b));

export const worstKind = () => (alerts().length ? kindOf(alerts()[0]) : "");

// What it is about; a pool leads to its page.
function about(alert) {
  if (!alert.database || !alert.user) return h("strong", { text: alert.component });
  return h(
    "a",
    { href: poolLink(alert.database, alert.user) },
    h("strong", { text: alert.component }),
  );
}

export function alertBanner(alert) {
  return h(
    "div",
    { class: `banner ${kindOf(alert)}` },
    h(
      "div",
      null,
      h("p", null, about(alert), `: ${alert.message}`),
      alert.recommendation ? h("p", { text: alert.recommendation }) : null,
    ),
    alert.since
      ? h("div", { class: "since", text: `for ${elapsed(store.since(alert.since))}` })
      : null,
  );
}

// The alerts of the agent; and what this page sees itself: no extension.
export function alertBanners(snapshot) {
  const banners = alerts().slice(0, MOST_BANNERS).map(alertBanner);
  if (alerts().length > MOST_BANNERS)
    banners.push(h("a", { href: "#/alerts", text: `All ${count(alerts().length)} alerts` }));
  const extension = snapshot.extension ?? {};
  if (!extension.available && extension.reason) {
    banners.push(
      h(
        "div",
        { class: "banner" },
        h(
          "div",
          null,
          h("p", null, h("strong", { text: "The extension is not read" })),
          h("p", { text: extension.reason }),
        ),
      ),
    );
  }
  return banners;
}

export function build() {
  const list = h("div", { class: "stack" });
  return {
    title: "Alerts",
    needs: [],
    nodes: [heading("Alerts"), list],
    update() {
      const shown = alerts();
      replace(
        list,
        shown.length
          ? shown.map(alertBanner)
          : empty(
              "All is well",
              "No rule sees anything wrong. Thresholds are settings of the agent.",
            ),
      );
    },
  };
}
