"""A headless Chromium, driven by the WebDriver protocol (https://www.w3.org/TR/webdriver2/)
through Debian's chromium-driver: a page is opened from disk, clicked, typed into and looked at."""

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request

from harness import SLOWNESS, check

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Enter": "\ue007", "Tab": "\ue004", "Down": "\ue015", "Up": "\ue013", "End": "\ue010", "Home": "\ue011", "Escape": "\ue00c"}
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"]


class Element:
    def __init__(self, page, reference):
        self.page, self.reference, self.path = page, reference, f"/element/{reference[ELEMENT]}"

    def click(self):
        """In the middle of the window: what is fixed at its edges does not cover it."""
        self.page.run("arguments[0].scrollIntoView({block: 'center'})", self.reference)
        self.page.call("POST", self.path + "/click", {})

    def type(self, text):
        self.page.call("POST", self.path + "/value", {"text": KEYS.get(text, text)})

    def clear(self):
        self.page.call("POST", self.path + "/clear", {})

    @property
    def text(self):
        return self.page.call("GET", self.path + "/text")

    def attribute(self, name):
        return self.page.call("GET", f"{self.path}/attribute/{name}")


class Page:
    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}"
        self.session = ""

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + self.session + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60 * SLOWNESS) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise AssertionError(f"{method} {path} {body}: {value['error']}: {value['message'].splitlines()[0]}") from None

    def begin(self, profile):
        options = {"args": [*ARGUMENTS, f"--user-data-dir={profile}"], "binary": shutil.which("chromium")}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        begun = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = f"/session/{begun['sessionId']}"

    def chrome(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def show(self, width=1280, height=900, theme="light"):
        """The size of the window, and the colours that its user prefers, who wants nothing to move."""
        self.chrome("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.chrome("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme},
                                                                {"name": "prefers-reduced-motion", "value": "reduce"}])

    def open(self, file, fragment=""):
        self.call("POST", "/url", {"url": file.absolute().as_uri() + fragment})

    def find(self, selector):
        return Element(self, self.call("POST", "/element", {"using": "css selector", "value": selector}))

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def texts(self, selector):
        """What is seen of each; nothing of those that are not shown."""
        return self.run("return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText ?? one.textContent)", selector)

    def focused(self):
        return self.run("return document.activeElement.outerHTML.slice(0, 300)")

    def press(self, key):
        """To what has the focus."""
        down = {"type": "keyDown", "value": KEYS[key]}
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": [down, {**down, "type": "keyUp"}]}]})

    def point_at(self, selector, click=False):
        """Of what has no size by itself, as lines have none: the middle."""
        move = {"type": "pointerMove", "duration": 50, "x": 0, "y": 0,
                "origin": self.call("POST", "/element", {"using": "css selector", "value": selector})}
        press = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}] if click else []
        mouse = {"type": "pointer", "id": "mouse", "actions": [move, *press]}
        self.call("POST", "/actions", {"actions": [mouse]})

    def expect(self, condition, message):
        """Soon: what follows a link is told to the page a moment later."""
        deadline = time.monotonic() + 5 * SLOWNESS
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.02)
        check(condition(), message)

    def complaints(self):
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})]


def _port_of(driver):
    line = ""
    deadline = time.monotonic() + 30 * SLOWNESS
    while time.monotonic() < deadline:
        line = driver.stdout.readline()
        if found := re.search(r"started successfully on port (\d+)", line):
            return int(found[1])
        if not line:
            break
    check(False, f"chromedriver does not start: {line}")
    return None


@contextlib.contextmanager
def page():
    for program in ("chromium", "chromedriver"):
        check(shutil.which(program), f"no {program}: install chromium and chromium-driver")
    with tempfile.TemporaryDirectory(prefix="lockgraph-browser-", ignore_cleanup_errors=True) as profile:
        with subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as driver:
            try:
                opened = Page(_port_of(driver))
                opened.begin(profile)
                try:
                    yield opened
                finally:
                    opened.call("DELETE", "")
            finally:
                driver.terminate()
