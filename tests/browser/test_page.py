"""What the tests of pages rely on: that a request, an error and an overflow would be noticed."""

from pathlib import Path

import pytest

from tests.browser.page import NARROW, WIDE, Browser, Theme

PAGE = """<!doctype html><html lang="en"><title>Test</title>
<style>:root {{ color-scheme: light dark }} div {{ width: 600px }}</style>
<div>wide</div><button onclick="this.textContent = 'pressed'">press</button>{more}</html>"""


def write(path: Path, more: str = "") -> Path:
    path.write_text(PAGE.format(more=more), encoding="utf-8")
    return path


def test_a_quiet_page_is_quiet(browser: Browser, tmp_path: Path) -> None:
    path = write(tmp_path / "quiet.html")
    browser.open_file(path)
    assert browser.console_errors() == []
    assert browser.requests() == [path.as_uri()]
    assert browser.foreign_requests() == []


def test_a_request_and_errors_are_noticed(browser: Browser, tmp_path: Path) -> None:
    address = "http://127.0.0.1:9/picture.png"
    noisy = write(tmp_path / "noisy.html", f"<img src={address}><script>missing()</script>")
    browser.open_file(noisy)
    assert browser.foreign_requests() == [address]
    assert any("missing is not defined" in error for error in browser.console_errors())
    browser.open_file(write(tmp_path / "quiet.html"))
    assert browser.foreign_requests() == []
    assert browser.console_errors() == []


@pytest.mark.parametrize(("width", "overflow"), [(WIDE, 0), (NARROW, 218)])
def test_the_window_has_its_width(
    browser: Browser, tmp_path: Path, width: int, overflow: int
) -> None:
    browser.open_file(write(tmp_path / "page.html"), width=width)
    assert browser.run("return innerWidth") == width
    assert browser.overflow() == overflow


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_visitor_has_a_theme(browser: Browser, tmp_path: Path, theme: Theme) -> None:
    browser.open_file(write(tmp_path / "page.html"), theme=theme)
    assert browser.run(f"return matchMedia('(prefers-color-scheme: {theme})').matches")


def test_mouse_and_keyboard_reach_the_page(browser: Browser, tmp_path: Path) -> None:
    browser.open_file(write(tmp_path / "page.html"))
    browser.find("button").click()
    assert browser.text("button") == "pressed"
    browser.open_file(tmp_path / "page.html")
    browser.press("\t", " ")
    assert browser.text("button") == "pressed"
