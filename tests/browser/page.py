"""A page in a headless Chromium: what a visitor does there, sees there, and what it asks for."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

BROWSER, DRIVER = "chromium", "chromedriver"
QUIET = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--force-color-profile=srgb"),
)
WIDE, NARROW = 1280, 390
"""Pixels: a laptop's window and a telephone's."""
Theme = Literal["light", "dark"]


def missing_programs() -> list[str]:
    """Return which of the programs that these tests need are not installed."""
    return [name for name in (BROWSER, DRIVER) if shutil.which(name) is None]


@contextmanager
def running_chromium(profile: Path) -> Iterator[Chrome]:
    """Start a Chromium with a profile of its own, and end it."""
    options = ChromeOptions()
    options.binary_location = str(shutil.which(BROWSER))
    for argument in (*QUIET, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = Chrome(options=options, service=Service(str(shutil.which(DRIVER))))
    try:
        yield driver
    finally:
        driver.quit()


class Browser:
    """One visitor; each file is opened as if it were the first."""

    def __init__(self, driver: Chrome, screenshots: Path) -> None:
        self.driver = driver
        self._screenshots = screenshots
        self._requests: list[str] = []
        self._errors: list[str] = []

    def open_file(self, path: Path, *, width: int = WIDE, theme: Theme = "light") -> None:
        """Open a file from `file://` in a window of this width, for a visitor of this theme."""
        self._command(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
        )
        preference = {"name": "prefers-color-scheme", "value": theme}
        self._command("Emulation.setEmulatedMedia", {"features": [preference]})
        self.driver.get("about:blank")
        self._read_logs()
        self._requests.clear()
        self._errors.clear()
        self.driver.get(path.resolve().as_uri())

    def console_errors(self) -> list[str]:
        """Return what the console called severe, exceptions included, since the file was opened."""
        self._read_logs()
        return list(self._errors)

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since then, the file's own among them."""
        self._read_logs()
        return list(self._requests)

    def foreign_requests(self) -> list[str]:
        """Return those that leave the page: neither the file nor what is embedded in it."""
        own = ("file:", "data:", "blob:", "about:")
        return [url for url in self.requests() if not url.startswith(own)]

    def find(self, selector: str) -> WebElement:
        """Return the first element for a CSS selector."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector: str) -> list[WebElement]:
        """Return all elements for a CSS selector."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """Return what can be read in the first element for a CSS selector."""
        return str(self.find(selector).text)

    def press(self, *keys: str, holding: str | None = None) -> None:
        """Press keys, wherever the focus is, with another one held down if given."""
        chain = ActionChains(self.driver)
        if holding is not None:
            chain.key_down(holding)
        chain.send_keys(*keys)
        if holding is not None:
            chain.key_up(holding)
        chain.perform()

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script in the page and return what it returns."""
        return self.driver.execute_script(script, *arguments)

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        root = "document.documentElement"
        return int(self.run(f"return {root}.scrollWidth - {root}.clientWidth"))

    def save_screenshot(self, name: str) -> Path:
        """Save a picture of the whole page, also of what lies below the window."""
        shot = self._command(
            "Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"}
        )
        path = self._screenshots / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def _command(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = self.driver.execute_cdp_cmd(name, arguments)
        return result

    def _read_logs(self) -> None:
        """Move what the browser logged to what is kept; a log is emptied by reading it."""
        for entry in self.driver.get_log("performance"):  # type: ignore[no-untyped-call]
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self._requests.append(message["params"]["request"]["url"])
        for entry in self.driver.get_log("browser"):  # type: ignore[no-untyped-call]
            if entry["level"] == "SEVERE":
                self._errors.append(entry["message"])
