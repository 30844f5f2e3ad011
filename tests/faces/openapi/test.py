#!/usr/bin/python3
"""docs/openapi.yaml: sound in itself, and what a running agent really answers.

Every path of the file is asked for; what comes back is held against its schema.
"""

import json
import pathlib
import subprocess
import sys
import unittest
import urllib.error
import urllib.request

import jsonschema
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from face_house import CONTROL_TOKEN, READ_TOKEN, ROOT, House, run_tests, wait_until  # noqa: E402

HOUSE = None  # run_tests() puts it here
DOCUMENT = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
PATHS = DOCUMENT["paths"]
SETTINGS = "alert_on_after = 0\nalert_waiting_clients = 1\n"

# What a POST is given, in the order in which they are sent; others get an empty object.
BODIES = {
    "/api/v1/control/pause": {"database": "app"},
    "/api/v1/control/resume": {"database": "app"},
    "/api/v1/control/disable": {"database": "app"},
    "/api/v1/control/enable": {"database": "app"},
    "/api/v1/control/reconnect": {"database": "app"},
    "/api/v1/control/wait_close": {"database": "app"},
    "/api/v1/control/kill_client": {"id": "999999"},
    "/api/v1/control/cancel_backend": {"pid": 1},
    "/api/v1/control/reload": {},
    "/api/v1/control/set_setting": {"key": "server_check_delay", "value": "31"},
    "/api/v1/control/kill": {"database": "app"},
}
# These name somebody who is not there.
UNKNOWN = {"/api/v1/control/kill_client", "/api/v1/control/cancel_backend"}
LAST = "/api/v1/control/shutdown"


def references_in(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from references_in(child)
    elif isinstance(node, list):
        for child in node:
            yield from references_in(child)


def target_of(reference):
    at = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        at = at[step]
    return at


class StructureTest(unittest.TestCase):
    def test_it_is_what_the_proto_makes_of_it(self):
        command = ["/usr/bin/python3", str(ROOT / "proto" / "openapi.py"), "--check"]
        subprocess.run(command, check=True)

    def test_every_operation_has_a_name_of_its_own_a_summary_and_an_answer(self):
        self.assertEqual(DOCUMENT["openapi"], "3.1.0")
        names = []
        for path, methods in PATHS.items():
            for method, operation in methods.items():
                self.assertIn(method, ("get", "post"), path)
                self.assertIn("200", operation["responses"], path)
                self.assertTrue(operation["summary"], path)
                names.append(operation["operationId"])
        self.assertEqual(len(names), len(set(names)))

    def test_every_reference_leads_somewhere(self):
        references = set(references_in(DOCUMENT))
        self.assertGreater(len(references), 30)
        for reference in references:
            with self.subTest(reference):
                target_of(reference)

    def test_every_schema_is_one(self):
        for name, schema in DOCUMENT["components"]["schemas"].items():
            with self.subTest(name):
                jsonschema.Draft202012Validator.check_schema(schema)


class AnswerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """A pool that is full, so that there is an alert, and a reading of the extension."""
        HOUSE.pgbench(8, 1000, "SELECT pg_sleep(0.05);\n")
        wait_until(lambda: cls.alerts_of("pool_utilization"), "an alert")
        wait_until(
            lambda: HOUSE.get("/api/monitoring/system-health")["server"]["extension_available"],
            "a reading of the extension",
        )

    @staticmethod
    def alerts_of(name):
        alerts = HOUSE.get("/api/monitoring/alerts")["alerts"]
        return [alert for alert in alerts if alert["name"] == name]

    @staticmethod
    def request(method, path, token, body=None):
        """Status, type and text."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(HOUSE.url + path, data=data, method=method.upper())
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers.get_content_type(), answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers.get_content_type(), answer.read().decode()

    def validate(self, schema, value, where):
        whole = {**schema, "components": DOCUMENT["components"]}
        validator = jsonschema.Draft202012Validator(
            whole, format_checker=jsonschema.draft202012_format_checker
        )
        errors = [f"{'/'.join(map(str, e.path))}: {e.message[:200]}" for e in validator.iter_errors(value)]
        self.assertEqual(errors[:5], [], f"{where}: {json.dumps(value)[:500]}")

    def ask(self, method, path, token, body=None):
        """Asks, holds the answer against its schema, returns status and value."""
        status, kind, text = self.request(method, path, token, body)
        where = f"{method} {path}: {status}"
        self.assertNotIn("there is nothing at this path", text, where)
        responses = PATHS[path][method]["responses"]
        response = responses.get(str(status)) or responses["default"]
        if "$ref" in response:
            response = target_of(response["$ref"])
        self.assertIn(kind, response["content"], where)
        value = json.loads(text) if kind == "application/json" else text
        self.validate(response["content"][kind]["schema"], value, where)
        return status, value

    def test_every_path_that_reads_answers_as_documented(self):
        reading = [path for path, methods in PATHS.items() if "get" in methods]
        self.assertGreater(len(reading), 15)
        for path in reading:
            with self.subTest(path):
                is_open = PATHS[path]["get"].get("security") == []
                self.assertEqual(self.ask("get", path, READ_TOKEN)[0], 200)
                self.assertEqual(self.ask("get", path, None)[0], 200 if is_open else 401)

    def test_all_faces_say_the_same_of_a_pool(self):
        pools = self.ask("get", "/api/monitoring/connection-pools", READ_TOKEN)[1]["pools"]
        pool = next(pool for pool in pools if pool["user"] == "app")
        self.assertEqual((pool["pool_size"], pool["health"]), (4, "degraded"))
        by_v1 = self.ask("get", "/api/v1/stats/snapshot", READ_TOKEN)[1]
        at_v1 = next(pool for pool in by_v1["pools"] if pool["user"] == "app")
        self.assertEqual(at_v1["now"]["pool_size"], "4")
        self.assertIn("pool_utilization", {alert["name"] for alert in by_v1["alerts"]})
        metrics = self.ask("get", "/metrics", None)[1]
        self.assertRegex(metrics, r'pgvalet_alert\{name="pool_utilization",component="pool app/app"')

    def test_the_configuration_shows_no_secret(self):
        config = self.ask("get", "/metrics/database/config", READ_TOKEN)[1]
        self.assertEqual(config["settings"]["sampler_password"]["value"], "********")
        self.assertEqual(config["settings"]["default_pool_size"]["value"], 4)
        for password in HOUSE.stack.passwords.values():
            self.assertNotIn(password, json.dumps(config))

    def test_a_path_that_is_not_there_is_an_error_as_documented(self):
        status, _, text = self.request("get", "/no/such/path", READ_TOKEN)
        self.assertEqual(status, 404)
        self.validate({"$ref": "#/components/schemas/Error"}, json.loads(text), "404")

    def test_z_every_path_that_acts_answers_as_documented(self):
        posts = [path for path, methods in PATHS.items() if "post" in methods and path != LAST]
        ordered = [path for path in BODIES if path in posts]
        for path in ordered + [path for path in posts if path not in BODIES]:
            with self.subTest(path):
                self.assertEqual(self.ask("post", path, None, {})[0], 401)
                status, value = self.ask("post", path, CONTROL_TOKEN, BODIES.get(path, {}))
                if path in BODIES:
                    self.assertEqual(status, 404 if path in UNKNOWN else 200, value)
        self.assertIn(self.ask("post", LAST, READ_TOKEN, {})[0], (401, 403))
        wish = {"mode": "SHUTDOWN_MODE_IMMEDIATE"}
        self.assertEqual(self.ask("post", LAST, CONTROL_TOKEN, wish)[0], 200)


if __name__ == "__main__":
    sys.exit(run_tests(sys.modules[__name__], lambda build: House(build, 4, SETTINGS)))
