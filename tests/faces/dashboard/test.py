#!/usr/bin/python3
"""The dashboard in a real Chromium: what it shows is true, and what it is told is done.

PGVALET_SCREENSHOTS=folder keeps pictures.
"""

import pathlib
import sys
import unittest

import psycopg
from selenium.webdriver.common.keys import Keys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from face_house import CONTROL_TOKEN, READ_TOKEN, House, run_tests, wait_until  # noqa: E402
from page import Page  # noqa: E402

HOUSE = None
HOSTILE = '<img src=x onerror="window.hacked = 1">'
WORK = "BEGIN;\nSELECT pg_sleep(0.05);\nSELECT 1;\nEND;\n"
CLIENTS = 6
POOL_SIZE = 4
CROWD = 1100
VIEWS = [
    *("", "pools", "pools/app/app", "clients", "backends", "waits", "pins", "leaks"),
    *("alerts", "events", "settings"),
]
BARE_TABLES = """
    return [...document.querySelectorAll("main table")].filter((table) => !table.caption
        || table.querySelectorAll("thead th[scope=col]").length !== table.tHead.rows[0].cells.length
    ).length"""
UNNAMED = """
    return [...document.querySelectorAll("button, input, [role=img], a")].filter((each) =>
        !(each.textContent.trim() || each.getAttribute("aria-label") || each.title)).length"""


def connect(application_name, dbname="app"):
    stack = HOUSE.stack
    return psycopg.connect(
        host="127.0.0.1",
        port=stack.port,
        user="app",
        password=stack.passwords["app"],
        dbname=dbname,
        application_name=application_name,
        autocommit=True,
    )


class DashboardTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = Page(HOUSE.url)

    @classmethod
    def tearDownClass(cls):
        cls.page.close()

    def setUp(self):
        self.page.size(1280, 860)

    def is_paused(self, database):
        for row in HOUSE.psql("SHOW DATABASES", "pgbouncer").splitlines():
            columns = row.split("|")
            if columns[0] == database:
                return columns[15] == "1"
        return False

    def row_of(self, word):
        """The first row of the view that has this word in a cell."""
        return next((row for row in self.page.rows() if any(word in cell for cell in row)), None)

    # Logging in

    def test_wrong_token_is_refused_and_a_right_one_lets_in(self):
        page = self.page
        page.open()
        page.type_into("dialog input", "no-such-token-0123456789")
        page.shot("login")
        page.keys(Keys.ENTER)
        page.wait(lambda: "does not know" in page.text("dialog .error"), "a wrong token is refused")
        page.type_into("dialog input", READ_TOKEN)
        page.keys(Keys.ENTER)
        page.wait(lambda: page.text("#freshness") == "live", "the page is live")
        self.assertEqual(page.find("dialog"), [])
        page.click("#login", "Log out")
        page.wait(lambda: page.find("dialog"), "the page wants a token again")
        self.assertNotIn("app / app", page.text())

    def test_without_control_nothing_is_done(self):
        page = self.page
        page.open("pools/app/app", READ_TOKEN)
        page.click("main button", "Pause")
        page.wait(lambda: "role control" in page.text("dialog"), "a control token is asked for")
        page.keys(Keys.ESCAPE)
        self.assertFalse(self.is_paused("app"))

    # What is shown

    def test_pools_appear_with_true_numbers(self):
        page = self.page
        page.open("pools", CONTROL_TOKEN)

        def shown():
            row = self.row_of("app") or [""] * 7
            counts = [int(text) if text.isdigit() else -1 for text in row[3:6]]
            return row[:2] == ["app", "app"] and sum(counts) == CLIENTS and row[6] == "4 / 4"

        page.script("document.documentElement.style.zoom = 1")
        page.size(1500, 860)  # all columns
        page.wait(shown, "the pool with its clients and servers")
        console = [row.split("|") for row in HOUSE.psql("SHOW POOLS", "pgbouncer").splitlines()]
        ours = next(row for row in console if row[:2] == ["app", "app"])
        self.assertEqual(int(ours[2]) + int(ours[3]), CLIENTS)
        page.shot("pools")

    def test_overview_shows_waiting_clients_and_load(self):
        page = self.page
        page.open("", CONTROL_TOKEN)
        page.wait(lambda: page.find("main .queue i"), "somebody waits before the bays")
        bays = page.find('main a[href="#/pools/app/app"] .bays i')
        self.assertEqual(len(bays), POOL_SIZE)
        line = "return document.querySelector('.chart path.s1').getAttribute('d')"
        page.wait(lambda: "L" in (page.script(line) or ""), "a line of the chart")
        page.shot("overview-light")

    def test_lines_begin_before_the_page_was_opened(self):
        page = self.page
        remembered = "/api/v1/stats/history"
        wait_until(lambda: HOUSE.get(remembered)["totals"].get("points"), "a step of history", 60)
        page.open("", CONTROL_TOKEN)
        box = page.script(
            "return document.querySelector('.chart path.s1').getBBox().width"
        )
        # Ten seconds of the minute that the chart shows at first.
        self.assertGreater(box, 40)

    def test_alerts_say_what_is_wrong_and_lead_to_the_pool(self):
        page = self.page
        page.open("alerts", CONTROL_TOKEN)
        page.click(".banner a", "pool app/app")
        page.wait(lambda: page.route() == "pools/app/app", "the pool")

    def test_search_and_sort_stay_in_the_address(self):
        page = self.page
        page.open("clients", CONTROL_TOKEN)
        page.wait(lambda: len(page.rows()) > CLIENTS, "clients")
        page.press("/")
        page.keys("load app")
        page.wait(lambda: set(page.column(3)) == {"load"}, "only those of the load")
        page.click("th button", "Client")
        numbers = [int(text) for text in page.column(0)]
        self.assertEqual(numbers, sorted(numbers, reverse=True))
        self.assertIn("q=load+app", page.route())
        self.assertIn("sort=-id", page.route())
        page.driver.refresh()
        page.wait(lambda: len(page.rows()) == CLIENTS, "the same rows after a reload")
        page.press("/")
        page.keys("nobody is called so")
        page.wait(lambda: "Nothing matches" in page.text(), "it says that nothing matches")

    def test_a_pool_leads_to_its_backend_and_that_to_its_client(self):
        page = self.page
        with connect("holder", dbname="postgres") as holder:
            holder.execute("BEGIN")
            pid = str(holder.execute("SELECT pg_backend_pid()").fetchone()[0])
            page.open("pools", CONTROL_TOKEN)
            page.click("main td a", "postgres")
            page.wait(lambda: self.row_of("holder"), "the client in its pool")
            page.shot("pool")
            page.click("main td a", pid)
            page.wait(lambda: page.text("h1") == f"Backend {pid}", "the backend")
            page.wait(lambda: "idle in transaction" in page.text(), "its state, from the extension")
            page.shot("backend")
            page.click("dd a", "holder")
            page.wait(lambda: page.text("h1").startswith("Client "), "the client")
            page.wait(lambda: f"process {pid}" in page.text(), "its backend")
            page.shot("client")

    def test_hostile_names_stay_text(self):
        page = self.page
        with connect(HOSTILE) as client:
            client.execute("BEGIN")
            client.execute("CREATE TEMP TABLE pinned (i int)")
            client.execute("COMMIT")
            page.open("clients?q=onerror", CONTROL_TOKEN)
            page.wait(lambda: HOSTILE in page.text(), "the name as it is")
            page.go("pins")
            page.wait(lambda: HOSTILE in page.text(), "the pin")
            self.assertIn("temporary objects", page.text())
            page.shot("pins")
            page.go("backends?q=onerror")
            page.wait(lambda: HOSTILE in page.text(), "the name of the backend's client")
            page.click("main td a")
            page.wait(lambda: HOSTILE in page.text(".facts"), "the name among the facts")
        self.assertIsNone(page.script("return window.hacked ?? null"))
        made = "return document.querySelectorAll('main img, main script').length"
        self.assertEqual(page.script(made), 0)

    def test_events_and_settings_are_shown(self):
        page = self.page
        page.open("events", CONTROL_TOKEN)
        page.wait(lambda: "agent started" in page.text(), "the agent's start")
        page.shot("events")
        page.go("settings?q=default_pool_size")
        row = ["default_pool_size", str(POOL_SIZE)]
        page.wait(lambda: (self.row_of(row[0]) or [])[:2] == row, "the setting")

    def test_a_thousand_clients_are_listed_in_part_and_found(self):
        page = self.page
        page.open("clients", CONTROL_TOKEN)
        page.wait(lambda: f"{CROWD:,}"[:2] in page.text(".table-more"), "the crowd", 90)
        self.assertEqual(len(page.rows()), 200)
        page.click(".table-more button")
        page.wait(lambda: len(page.rows()) > CROWD, "all of them")
        page.press("/")
        page.keys("load")
        page.wait(lambda: len(page.rows()) == CLIENTS, "some of them")

    # What is done

    def test_pausing_a_pool_pauses_it_and_resuming_lets_it_go_on(self):
        page = self.page
        page.open("pools/app/app", CONTROL_TOKEN)
        page.click("main button", "Pause")
        page.shot("pause")
        page.click("dialog button", "Cancel")
        self.assertFalse(self.is_paused("app"))
        page.click("main button", "Pause")
        page.click("dialog button[type=submit]")
        page.wait(lambda: self.is_paused("app"), "the console says that it is paused")
        page.wait(lambda: page.text("h1 + .badge") == "paused", "so does the page")
        page.click("main button", "Resume")
        page.click("dialog button[type=submit]")
        page.wait(lambda: not self.is_paused("app"), "the console says that it goes on")
        page.wait(lambda: page.text("h1 + .badge") == "transaction", "so does the page")

    def test_a_pause_that_waits_ends_with_its_dialog(self):
        page = self.page
        with connect("busy", dbname="postgres") as busy:
            busy.execute("BEGIN")
            busy.execute("SELECT 1")
            page.open("pools/postgres/app", CONTROL_TOKEN)
            page.click("main button", "Pause")
            page.click("dialog button[type=submit]")
            page.wait(lambda: self.is_paused("postgres"), "it is paused for new transactions")
            self.assertIn("Waiting for those that run", page.text("dialog"))
            page.click("dialog button", "Cancel")
            page.wait(lambda: not self.is_paused("postgres"), "the pause is called off")

    def test_ending_a_client_ends_it(self):
        page = self.page
        victim = connect("victim")
        page.open("clients?q=victim", CONTROL_TOKEN)
        page.click("main td a")
        page.click("main button", "End client")
        self.assertIn("victim", page.text("dialog"))
        page.click("dialog button[type=submit]")
        page.wait(lambda: "This client is gone" in page.text(), "the page says that it is gone")
        with self.assertRaisesRegex(psycopg.OperationalError, "the client was killed"):
            victim.execute("SELECT 1")
        victim.close()

    def test_cancelling_a_statement_cancels_it(self):
        page = self.page
        sleeper = connect("sleeper")
        sleeper.pgconn.send_query(b"SELECT pg_sleep(600)")
        page.open("clients?q=sleeper", CONTROL_TOKEN)
        page.wait(lambda: (self.row_of("sleeper") or [""] * 5)[4] == "active", "it works")
        page.click("main td a")
        page.click("main button", "Cancel statement")
        page.click("dialog button[type=submit]")
        page.wait(lambda: "was cancelled" in page.text("#toasts"), "it says so")
        self.assertIn(b"57014", sleeper.pgconn.get_result().error_field(67))
        sleeper.close()

    def test_a_backend_that_came_past_the_agent_is_ended(self):
        page = self.page
        HOUSE.stack.cluster.sql("GRANT pg_signal_backend TO pgvalet_agent")
        direct = psycopg.connect(
            host="127.0.0.1", port=HOUSE.stack.cluster.port, user="app", dbname="app",
            password=HOUSE.stack.passwords["app"], application_name="past the agent",
        )
        page.open("backends?q=past the agent", CONTROL_TOKEN)
        page.wait(lambda: self.row_of("past the agent"), "the backend is listed")
        page.click("main td a")
        page.click("main button", "End backend")
        self.assertIn("past the agent", page.text("dialog"))
        self.assertIn("does not belong to this agent", page.text("dialog"))
        page.shot("end-backend")
        page.click("dialog button[type=submit]")
        page.wait(lambda: "was told to end" in page.text("#toasts"), "it says so")
        with self.assertRaises(psycopg.OperationalError):
            direct.execute("SELECT 1")
        direct.close()

    def test_pools_of_applications_appear_when_they_are_reported(self):
        page = self.page
        page.open("pools", CONTROL_TOKEN)
        page.wait(lambda: page.rows(), "our pools")
        self.assertNotIn("Reported by applications", page.text())
        pool = {"application": HOSTILE, "name": "orders", "kind": "sqlalchemy", "in_use": 4}
        HOUSE.post("/api/v1/pools/report_pools", {"pools": [pool], "ttl": "60s"})
        page.wait(lambda: self.row_of("orders"), "the reported pool")
        row = self.row_of("orders")
        self.assertEqual(row[:2], [HOSTILE, "orders"])
        self.assertIn("4", row)
        self.assertIn("Reported by applications", page.text())
        page.shot("reported-pools")
        self.assertIsNone(page.script("return window.hacked"))

    # How it behaves

    def test_keys_do_what_the_help_says(self):
        page = self.page
        page.open("", CONTROL_TOKEN)
        page.press("?")
        page.wait(lambda: "next row" in page.text("dialog"), "the help")
        page.shot("keys")
        page.keys(Keys.ESCAPE)
        page.wait(lambda: not page.find("dialog"), "no help")
        page.press("2")
        page.wait(lambda: page.route() == "pools", "the second view")
        page.wait(lambda: page.rows(), "pools")
        page.press("j")
        page.keys(Keys.ENTER)
        page.wait(lambda: page.route().startswith("pools/"), "the first pool")
        page.press(Keys.ESCAPE)
        page.wait(lambda: page.route() == "pools", "the list again")
        page.press(" ")
        page.wait(lambda: page.text("#freshness") == "frozen", "it stands still")
        page.press(" ")
        page.wait(lambda: page.text("#freshness") == "live", "it goes on")

    def test_colours_follow_the_system_and_the_user(self):
        page = self.page

        def theme():
            return page.script(
                "return [document.documentElement.dataset.theme,"
                "getComputedStyle(document.documentElement).backgroundColor]"
            )

        dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
        page.open("", CONTROL_TOKEN)
        self.assertEqual(theme(), ["dark", "rgb(13, 17, 22)"])
        page.wait(lambda: page.find("main .queue i"), "somebody waits")
        page.shot("overview-dark")
        page.press("t")
        self.assertEqual(theme(), ["light", "rgb(245, 246, 248)"])
        page.driver.refresh()
        self.assertEqual(theme()[0], "light")
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def test_small_screens_need_no_sideways_scrolling(self):
        page = self.page
        page.size(390, 844)
        page.open("", CONTROL_TOKEN)
        for view in VIEWS:
            page.go(view)
            width = page.script("return document.documentElement.scrollWidth")
            self.assertLessEqual(width, 390, view)
            page.shot(f"phone-{view.replace('/', '-') or 'overview'}")

    def test_tables_are_named_and_their_heads_are_heads(self):
        page = self.page
        page.open("pools", CONTROL_TOKEN)
        page.wait(lambda: page.rows(), "pools")
        for view in VIEWS:
            page.go(view)
            self.assertEqual(page.script(BARE_TABLES), 0, view)
            self.assertEqual(page.script(UNNAMED), 0, view)

    def test_a_page_that_nobody_looks_at_asks_nothing(self):
        page = self.page
        page.open("", CONTROL_TOKEN)
        page.script(
            "Object.defineProperty(document, 'hidden', {get: () => true, configurable: true})"
        )
        asked = "return performance.getEntriesByType('resource').length"
        settled = []

        def newer():
            sequence = int(HOUSE.get("/api/v1/stats/snapshot")["sequence"])
            settled.append((page.script(asked), sequence))
            same = [sequence for count, sequence in settled if count == settled[-1][0]]
            return same[-1] - same[0] >= 8

        page.wait(newer, "eight snapshots that the page did not ask for")
        page.script("delete document.hidden")
        page.script("document.dispatchEvent(new Event('visibilitychange'))")
        page.wait(lambda: page.script(asked) > settled[-1][0], "it asks again")

    def test_only_the_agent_is_asked_and_nothing_goes_wrong(self):
        page = self.page
        page.complaints()
        page.requested()
        page.open("", CONTROL_TOKEN)
        for view in VIEWS:
            page.go(view)
        page.wait(lambda: "default_pool_size" in page.text(), "the last of the views")
        addresses = page.requested()
        self.assertGreater(len(addresses), 20)
        self.assertEqual([each for each in addresses if not each.startswith(HOUSE.url + "/")], [])
        self.assertEqual(page.complaints(), [])

    def test_z_the_page_outlives_a_restart_of_the_agent(self):
        page = self.page
        page.open("", CONTROL_TOKEN)
        HOUSE.stack.agent.stop()
        page.wait(lambda: "Connection lost" in page.text("#connection"), "it says so")
        page.shot("lost")
        HOUSE.stack.agent.start()
        page.wait(lambda: page.text("#freshness") == "live", "it is live again")
        self.assertEqual(page.find("#connection"), [])
        page.wait(lambda: "restarted" in page.text("#toasts"), "it says why")


class LoadedHouse(House):
    """Six clients on four server connections, and a thousand that do nothing."""

    def __init__(self, build):
        super().__init__(build, POOL_SIZE)

    def __enter__(self):
        super().__enter__()
        self.stack.cluster.sql("CREATE ROLE crowd LOGIN PASSWORD 'crowd'")
        self.pgbench(CLIENTS, 100_000, WORK)
        crowd = self.environment("crowd") | {"PGUSER": "crowd", "PGPASSWORD": "crowd"}
        self.pgbench(CROWD, 100_000, "\\sleep 1000 s\n", "crowd", crowd)
        wait_until(lambda: self.get("/api/v1/stats/snapshot")["pools"], "the load's pool")
        return self


if __name__ == "__main__":
    sys.exit(run_tests(sys.modules[__name__], LoadedHouse))
