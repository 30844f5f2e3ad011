"""The dashboard in a real, headless Chromium, as a test uses it."""

import json
import os
import pathlib

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from face_house import wait_until

SWITCHES = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--hide-scrollbars", "--disable-background-networking", "--no-first-run",
            "--disable-component-update", "--disable-sync", "--disable-extensions"]


class Page:
    def __init__(self, url):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for switch in SWITCHES:
            options.add_argument(switch)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.url = url
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.size(1280, 860)

    def close(self):
        self.driver.quit()

    def size(self, width, height):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def open(self, route="", token=None):
        """Loads the page anew, with a token of this session's or with none."""
        self.driver.get(self.url + "/healthz")
        self.script("sessionStorage.clear(); localStorage.clear()")
        if token:
            self.script("sessionStorage.setItem('pgvalet.token', arguments[0])", token)
        self.driver.get(f"{self.url}/#/{route}")
        if token:
            self.wait(lambda: self.text("#freshness") == "live", "the page is live")

    def go(self, route):
        self.script("location.hash = arguments[0]", f"#/{route}")
        self.wait(lambda: self.route().split("?")[0] == route.split("?")[0], f"view {route}")

    def route(self):
        return self.script("return location.hash").replace("#/", "", 1)

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def find(self, css):
        found = self.driver.find_elements(By.CSS_SELECTOR, css)
        return [each for each in found if each.is_displayed()]

    def one(self, css):
        self.wait(lambda: self.find(css), f"{css} is there")
        return self.find(css)[0]

    def text(self, css="main"):
        found = self.find(css)
        return found[0].text if found else ""

    def click(self, css, text=""):
        def matching():
            return [each for each in self.find(css) if text in each.text]

        self.wait(matching, f"{css} with {text!r} is there")
        matching()[0].click()

    def keys(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    def press(self, key):
        self.driver.find_element(By.TAG_NAME, "body").send_keys(key)

    def type_into(self, css, text):
        field = self.one(css)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(Keys.DELETE)
        field.send_keys(text)

    def rows(self, css="main table"):
        """Cells of each row, as texts, at one moment."""
        return self.script(
            "return [...document.querySelectorAll(arguments[0] + ' tbody tr')]"
            ".map(row => [...row.children].map(cell => cell.innerText.trim()))", css)

    def column(self, number, css="main table"):
        return [row[number] for row in self.rows(css)]

    def wait(self, condition, what, seconds=30):
        def quietly():
            try:
                return condition()
            except StaleElementReferenceException:
                return False

        wait_until(quietly, f"{what} (the page says: {self.route()})", seconds)

    def shot(self, name):
        folder = os.environ.get("PGVALET_SCREENSHOTS")
        if folder:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(str(pathlib.Path(folder) / f"{name}.png"))

    def complaints(self):
        """What the browser wrote to its console since it was asked last."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING")]

    def requested(self):
        """Addresses that were asked for since this was asked last."""
        addresses = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                addresses.append(message["params"]["request"]["url"])
        return addresses
