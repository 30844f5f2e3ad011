"""Medians, ratios taken within a round, and whether the goals are held."""

import statistics

BUSY = 0.3  # CPUs of other work above which a round counts as disturbed

LOAD = [("tps", "tps", 0), ("p50_ms", "p50 ms", 3), ("p99_ms", "p99 ms", 3)]
LOAD += [("cpu_us", "CPU us/tx", 2)]
CONNECT = [("tps", "connections/s", 0), ("p50_ms", "p50 ms", 3), ("p99_ms", "p99 ms", 3)]
CONNECT += [("cpu_us", "CPU us each", 1)]
IDLE = [("idle_kib", "KiB/client", 2), ("after_query_kib", "after a query", 2)]
IDLE += [("base_kib", "without, KiB", 0)]


def columns_of(case):
    """What is shown of a case: figures, then those of which ratios are taken."""
    if case == "idle":
        return IDLE, [("idle_kib", "KiB")]
    shown = CONNECT if case == "connect" else LOAD
    return shown, [("tps", "tps"), ("cpu_us", "CPU")]


class Results:
    """All rows of a run: dicts with case, target, round, failed and the figures."""

    def __init__(self, rows):
        self.rows = rows
        self.cases = list(dict.fromkeys(row["case"] for row in rows))
        self.targets = list(dict.fromkeys(row["target"] for row in rows))
        self.references = [name for name in self.targets if name.startswith("pgbouncer")]

    def of(self, case, target):
        """The rounds that count: calm ones where there are two, else all that did not fail."""
        good = self._good(case, target)
        calm = [row for row in good if row["others"] <= BUSY]
        return calm if len(calm) >= 2 else good

    def _good(self, case, target):
        chosen = (row for row in self.rows if row["case"] == case and row["target"] == target)
        return [row for row in chosen if not row["failed"]]

    def failures(self, case, target):
        return [
            row
            for row in self.rows
            if row["case"] == case and row["target"] == target and row["failed"]
        ]

    def median(self, case, target, key):
        values = [row[key] for row in self.of(case, target) if row.get(key) is not None]
        return statistics.median(values) if values else None

    def ratios(self, case, target, reference, key):
        """One ratio for every round in which both were measured."""
        base = {row["round"]: row.get(key) for row in self._good(case, reference)}
        pairs = ((row.get(key), base.get(row["round"])) for row in self.of(case, target))
        return [value / against for value, against in pairs if value is not None and against]


def table(lines):
    """Aligned columns, the first to the left."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    )


def number(value, digits):
    return "-" if value is None else f"{value:,.{digits}f}"


def titled(case):
    protocol, _, clients = case.partition("/")
    if case == "idle":
        return "memory per idle client"
    if case == "connect":
        return "a connection for every transaction, 8 clients"
    return f"{protocol} protocol, {clients} clients"


def show(results):
    """The tables as text."""
    return "\n\n".join(f"{titled(case)}\n{show_case(results, case)}" for case in results.cases)


def show_case(results, case):
    shown, compared = columns_of(case)
    references = [name for name in results.references if results.of(case, name)]
    short = {name: name.split()[-1] for name in references}
    head = ["target"] + [title for _, title, _ in shown]
    head += [f"{title} vs {short[name]}" for name in references for _, title in compared]
    lines = [head + ["spread", "rounds", "others"]]
    for target in results.targets:
        rows, failures = results.of(case, target), results.failures(case, target)
        if not rows and not failures:
            continue
        line = [target] + [number(results.median(case, target, key), d) for key, _, d in shown]
        for name in references:
            for key, _ in compared:
                ratios = results.ratios(case, target, name, key)
                line.append(f"{statistics.median(ratios):.2f}x" if ratios else "-")
        lines.append(line + [spread(rows, compared), rounds(rows, failures), others(rows)])
    text = table(lines)
    for row in (row for target in results.targets for row in results.failures(case, target)):
        text += f"\n  failed: {row['target']}, round {row['round']}: {row.get('error')}"
    return text


def spread(rows, compared):
    """(highest - lowest) / median of what matters most, in percent."""
    for key, _ in reversed(compared):
        values = [row[key] for row in rows if row.get(key)]
        if values:
            return f"{(max(values) - min(values)) / statistics.median(values) * 100:.0f}%"
    return "-"


def rounds(rows, failures):
    return f"{len(rows)}" + (f", {len(failures)} failed" if failures else "")


def others(rows):
    values = [row["others"] for row in rows]
    if not values:
        return "-"
    return f"{statistics.median(values):.2f}" + (" busy" if max(values) > BUSY else "")


def show_counters(counted):
    """counted: [(case, target, {name: per transaction})]."""
    names = list(dict.fromkeys(name for _, _, counts in counted for name in counts))
    lines = [["per transaction", "case"] + names]
    for case, target, counts in counted:
        lines.append([target, case] + [number(counts.get(name), 2) for name in names])
    return table(lines)


GOALS = [
    # case, figure, limit, and whether it is a ceiling
    ("simple/16", "cpu_us", 1.0, True),
    ("extended/16", "cpu_us", 1.0, True),
    ("prepared/16", "cpu_us", 0.9, True),
    ("simple/64", "cpu_us", 0.9, True),
    ("extended/64", "cpu_us", 0.9, True),
    ("prepared/64", "cpu_us", 0.9, True),
    ("simple/16", "tps", 1.0, False),
    ("extended/16", "tps", 1.0, False),
    ("prepared/16", "tps", 1.0, False),
    ("simple/64", "tps", 1.0, False),
    ("extended/64", "tps", 1.0, False),
    ("prepared/64", "tps", 1.0, False),
]
MOST_IDLE_KIB = 1.3


def show_goals(results, mine="pgvalet", many=1000):
    """The goals of the first version as text, and how many of them are missed."""
    lines, missed = [["goal", "limit", "measured", "rounds", "held"]], 0

    def add(what, limit, values, held, digits=2):
        nonlocal missed
        if not values:
            lines.append([what, limit, "not in this run", "-", "-"])
            return
        missed += not held
        middle = f"{statistics.median(values):.{digits}f}"
        between = f"{min(values):.{digits}f} to {max(values):.{digits}f}"
        lines.append([what, limit, middle, between, "yes" if held else "NO"])

    for case, key, limit, ceiling in GOALS:
        for reference in results.references:
            if not results.of(case, reference):
                continue
            ratios = results.ratios(case, mine, reference, key)
            middle = statistics.median(ratios) if ratios else None
            held = middle is not None and (middle <= limit if ceiling else middle >= limit)
            what = "CPU per transaction" if key == "cpu_us" else "throughput"
            sign = "<=" if ceiling else ">="
            add(f"{case} {what} against {reference}", f"{sign} {limit}x", ratios, held)
    values = [row["idle_kib"] for row in results.of("idle", mine)]
    held = bool(values) and statistics.median(values) <= MOST_IDLE_KIB
    add("idle client, KiB", f"<= {MOST_IDLE_KIB}", values, held)
    for case in (case for case in results.cases if case.endswith(f"/{many}")):
        failed = [row["failed"] for row in results.failures(case, mine)]
        failed += [0 for _ in results.of(case, mine)]
        add(f"{case} failures", "0", failed, bool(failed) and not any(failed), 0)
    return table(lines), missed
