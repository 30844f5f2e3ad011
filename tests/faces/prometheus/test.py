#!/usr/bin/python3
"""Prometheus itself, before an agent under load.

The rules in deploy/prometheus pass their unit tests, load without error and fire; every query of
the dashboard in deploy/grafana returns data.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest
import urllib.parse
import urllib.request

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from face_house import ROOT, House, devserver, run_tests, wait_until  # noqa: E402

HOUSE = None  # run_tests() puts it here
HERE = pathlib.Path(__file__).resolve().parent
FILES = ROOT / "deploy" / "prometheus"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "pgvalet.json").read_text())
SETTINGS = "alert_on_after = 1\nalert_off_after = 1\n"

# Grafana fills these in: the rate is over at least four scrapes, one a second here.
VARIABLES = {"$__rate_interval": "6s", "$instance": ".*", "$database": ".*"}
WORK = "SELECT count(*) FROM generate_series(1, 100), pg_sleep(0.02);\n"


class Prometheus:
    """As deploy/prometheus has it, but for the address of the agent and the pace."""

    def __init__(self, home, target):
        self.home = home
        self.port = devserver.free_port()
        self.process = None
        config = yaml.safe_load((FILES / "prometheus.yml").read_text())
        pace = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        config["global"] |= pace
        config["scrape_configs"][0]["static_configs"][0]["targets"] = [target]
        (home / "prometheus.yml").write_text(yaml.safe_dump(config))
        shutil.copy(FILES / "pgvalet.rules.yml", home)

    def start(self):
        command = ["setpriv", "--pdeathsig", "TERM", "prometheus"]
        command += [f"--config.file={self.home}/prometheus.yml", "--log.level=warn"]
        command += [f"--storage.tsdb.path={self.home}/tsdb"]
        command += [f"--web.listen-address=127.0.0.1:{self.port}"]
        self.process = devserver.Process("prometheus", command, self.home / "prometheus.log")
        devserver.wait_until(self.is_ready, 60, "Prometheus' start", self.process.alive)

    def stop(self):
        if self.process:
            self.process.stop([15])

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5):
                return True
        except OSError:
            return False

    def get(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        return self.get("query", query=expression)["result"]

    def alerts(self, name, state="firing"):
        every = self.get("alerts")["alerts"]
        return [a for a in every if a["labels"]["alertname"] == name and a["state"] == state]


class WatchedHouse(House):
    """Twelve clients on four server connections, one of them pinned, and Prometheus."""

    def __init__(self, build):
        super().__init__(build, 4, SETTINGS)
        self.prometheus = None

    def __enter__(self):
        super().__enter__()
        self.prometheus = Prometheus(self.home, f"127.0.0.1:{self.stack.http_port}")
        try:
            self.prometheus.start()
            self.load = self.pgbench(12, 1000, WORK)
            self.pgbench(1, 1000, "CREATE TEMP TABLE IF NOT EXISTS held (a int);\n\\sleep 1 s\n", "pinned")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *ended):
        if self.prometheus:
            self.prometheus.stop()
        super().__exit__(*ended)


class FilesTest(unittest.TestCase):
    def promtool(self, *words):
        done = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_rules_are_sound(self):
        self.promtool("check", "rules", FILES / "pgvalet.rules.yml")

    def test_the_rules_pass_their_unit_tests(self):
        self.promtool("test", "rules", HERE / "rules_test.yml")

    def test_the_configuration_is_sound(self):
        self.promtool("check", "config", FILES / "prometheus.yml")


def dashboard_queries():
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            yield panel["title"], expression
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            metric = re.fullmatch(r"label_values\((\w+), \w+\)", variable["query"]["query"])
            yield f"variable {variable['name']}", metric.group(1)


class ScrapeTest(unittest.TestCase):
    def test_every_query_of_the_dashboard_returns_data(self):
        left = list(dashboard_queries())
        self.assertGreater(len(left), 60)
        self.assertEqual([text for _, text in left if "$" in text], [], "variables nobody fills in")

        def all_have_data():
            left[:] = [(title, text) for title, text in left if not HOUSE.prometheus.query(text)]
            return not left

        try:
            wait_until(all_have_data, "data for every query", 60)
        except devserver.Failure:
            self.fail("no data:\n" + "\n".join(f"{title}: {text}" for title, text in left))

    def test_panels_of_the_dashboard_do_not_overlap(self):
        taken = {}
        for panel in DASHBOARD["panels"]:
            at = panel["gridPos"]
            for x in range(at["x"], at["x"] + at["w"]):
                for y in range(at["y"], at["y"] + at["h"]):
                    self.assertNotIn((x, y), taken, f"{panel['title']}: {taken.get((x, y))}")
                    taken[x, y] = panel["title"]
            self.assertLessEqual(at["x"] + at["w"], 24)

    def test_the_rules_load_and_the_alert_of_a_full_pool_fires(self):
        prometheus = HOUSE.prometheus
        rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
        self.assertGreater(len(rules), 30)
        self.assertEqual([rule for rule in rules if rule["health"] == "err"], [])
        wait_until(lambda: prometheus.alerts("PgvaletPoolUtilization"), "the alert")
        alert = prometheus.alerts("PgvaletPoolUtilization")[0]
        self.assertEqual(alert["labels"]["component"], "pool app/app")
        self.assertIn(alert["labels"]["severity"], ("warning", "critical"))
        self.assertIn("most server connections", alert["annotations"]["summary"])

    def test_y_the_alert_ends_with_its_cause(self):
        prometheus = HOUSE.prometheus
        wait_until(lambda: prometheus.alerts("PgvaletPoolUtilization"), "the alert")
        HOUSE.load.stop([2, 9])
        wait_until(lambda: not prometheus.alerts("PgvaletPoolUtilization"), "its end", 60)

    def test_z_an_agent_that_is_gone_is_told(self):
        HOUSE.stack.agent.stop()
        wait_until(lambda: HOUSE.prometheus.alerts("PgvaletDown", "pending"), "PgvaletDown")


if __name__ == "__main__":
    sys.exit(run_tests(sys.modules[__name__], WatchedHouse))
