"""The reports of a comparison and of a ranking, used as readers use them."""

from pathlib import Path

import pytest
from mec_moe_agents.cli import app
from selenium.webdriver.common.keys import Keys
from typer.testing import CliRunner

from tests.browser.page import NARROW, WIDE, Browser, Theme

COMMANDS = {
    "compare": (
        *("compare", "--env", "dmoe", "--scenario", "toy", "--seeds", 8),
        *("--agents", "topk,jesa,homogeneous"),
    ),
    "rank": ("rank", "--scenario", "dmoe/toy,toy", "--agents", "topk,jesa,nearest", "--seeds", 8),
}
TABLE = "dmoe/toy"


def mec_moe(*arguments: object) -> None:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Run each command once and write its report."""
    written = {}
    for name, command in COMMANDS.items():
        folder = tmp_path_factory.mktemp(name)
        mec_moe(*command, "--out", folder)
        mec_moe("report", folder)
        written[name] = folder / "report.html"
    return written


def column(browser: Browser, table: str, heading: str) -> list[float | None]:
    """Return a column from top to bottom; None where nothing is known."""
    values = browser.run(
        """
        const table = document.querySelector(`table[data-name="${arguments[0]}"]`);
        const heads = [...table.tHead.rows[0].cells];
        const place = heads.findIndex((head) => head.innerText.includes(arguments[1]));
        return [...table.tBodies[0].rows].map((row) => row.cells[place].dataset.value ?? null);
        """,
        table,
        heading,
    )
    return [None if value is None else float(value) for value in values]


def names(browser: Browser, table: str) -> list[str]:
    return [cell.text for cell in browser.find_all(f'table[data-name="{table}"] tbody th')]


def head(table: str, place: int) -> str:
    return f'table[data-name="{table}"] thead th:nth-child({place})'


@pytest.mark.parametrize("name", COMMANDS)
def test_the_mouse_sorts(browser: Browser, reports: dict[str, Path], name: str) -> None:
    browser.open_file(reports[name])
    table, returns = TABLE, head(TABLE, 2)
    before, shown = names(browser, table), column(browser, table, "Return")
    known = [value for value in shown if value is not None]
    assert len(known) == len(shown) > 2
    assert shown == sorted(known, reverse=True)
    assert browser.find(returns).get_attribute("aria-sort") == "descending"
    browser.find(f"{returns} button").click()
    assert column(browser, table, "Return") == sorted(known)
    assert browser.find(returns).get_attribute("aria-sort") == "ascending"
    browser.find(f"{returns} button").click()
    assert names(browser, table) == before
    browser.find(f"{head(table, 1)} button").click()
    assert names(browser, table) == sorted(before)
    assert browser.find(returns).get_attribute("aria-sort") == "none"
    assert browser.console_errors() == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_keyboard_sorts(browser: Browser, reports: dict[str, Path], name: str) -> None:
    browser.open_file(reports[name])
    table = TABLE
    # The first heading is reached by the key that goes on, from the table's own stop.
    browser.run(f"document.querySelector('table[data-name=\"{table}\"]').parentElement.focus()")
    browser.press(Keys.TAB, Keys.TAB, Keys.TAB, Keys.ENTER)
    assert browser.find(head(table, 3)).get_attribute("aria-sort") == "descending"
    gains = column(browser, table, "To ")
    known = [value for value in gains if value is not None]
    assert gains == [*sorted(known, reverse=True), None]  # nobody is compared with oneself
    browser.press(Keys.SPACE)
    assert browser.find(head(table, 3)).get_attribute("aria-sort") == "ascending"
    assert column(browser, table, "To ") == [*sorted(known), None]
    assert browser.console_errors() == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_is_quiet_and_fits(
    browser: Browser, reports: dict[str, Path], name: str, width: int, theme: Theme
) -> None:
    browser.open_file(reports[name], width=width, theme=theme)
    assert browser.foreign_requests() == []
    assert browser.console_errors() == []
    assert browser.overflow() == 0
    assert [drawing.is_displayed() for drawing in browser.find_all("figure svg")] == [True]
    background = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 3 * 128) == (theme == "dark")
    for fold in browser.find_all("details > summary"):
        fold.click()
    assert browser.overflow() == 0
    browser.save_screenshot(f"report-{name}-{width}-{theme}")


def test_what_was_run_unfolds(browser: Browser, reports: dict[str, Path]) -> None:
    browser.open_file(reports["compare"])
    assert "num_layers" not in browser.text("main")
    whole = next(each for each in browser.find_all("summary") if each.text == "Whole configuration")
    whole.click()
    assert "num_layers" in browser.text("main")
    assert "mec-moe compare --scenario toy" in browser.text("main")


def test_a_request_would_be_refused(browser: Browser, reports: dict[str, Path]) -> None:
    browser.open_file(reports["compare"])
    browser.run("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/'}))")
    assert any("Content Security Policy" in error for error in browser.console_errors())
