"""`mec-moe replay` as its visitors see it: by mouse, by keyboard, on a telephone."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from mec_moe_agents.evaluation.bounds import Bounds
from mec_moe_agents.evaluation.scenarios import Scenario
from mec_moe_agents.replay.page import render_page
from mec_moe_agents.replay.recording import Recording, record
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS
from tests.browser.page import NARROW, WIDE, Browser, Theme

DIGITS = ("--scenario", "digits", "--agents", "guard,learned", "--seed", "7")
LAYERS = ("--env", "dmoe", "--scenario", "contended", "--agents", "jesa,topk", "--seed", "3")
CANVASES = (
    *("#agent-0 .map", "#agent-1 .map"),
    *("#world canvas", "#curves canvas", "#strips canvas"),
)
LAST_SLOT = OFFLOADING_PRESETS["digits"].horizon - 1


def make(folder: Path, *arguments: str) -> Path:
    """Make a page by the command itself."""
    page = folder / "page.html"
    words = (*arguments, "--out", str(page))
    subprocess.run([sys.executable, "-m", "mec_moe_agents", "replay", *words], check=True)
    return page


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("digits"), *DIGITS)


@pytest.fixture(scope="session")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("layers"), *LAYERS)


@pytest.fixture(scope="session")
def recorded() -> Recording:
    return record(OFFLOADING_PRESETS["digits"], ["guard", "learned"], 7)


def step_of(browser: Browser) -> int:
    return int(browser.run("return document.body.dataset.step"))


def picture(browser: Browser, selector: str) -> str:
    return str(browser.run("return document.querySelector(arguments[0]).toDataURL()", selector))


def colors_in(browser: Browser, selector: str) -> int:
    """Count the colours in a canvas."""
    script = """
        const canvas = document.querySelector(arguments[0]);
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(pixels.data.buffer)).size"""
    return int(browser.run(script, selector))


def click_at(browser: Browser, selector: str, share: float) -> None:
    """Click on an element, this share of its width from its left edge."""
    element = browser.find(selector)
    browser.run("arguments[0].scrollIntoView({block: 'center'})", element)
    x = round((share - 0.5) * element.size["width"])
    ActionChains(browser.driver).move_to_element_with_offset(element, x, 0).click().perform()


def assert_quiet(browser: Browser) -> None:
    assert browser.console_errors() == []
    assert browser.foreign_requests() == []


def test_what_is_on_the_page(browser: Browser, digits: Path) -> None:
    browser.open_file(digits)
    assert digits.stat().st_size < 700_000
    assert browser.driver.title == "guard and learned on digits"
    assert [each.text for each in browser.find_all("h2")] == ["guard", "learned"]
    assert "slot 0 / 499" in browser.text("#where")
    assert "digits 6/7" in browser.text(".legend")
    assert "no policy ends above −85.7" in browser.text("#curves")
    for canvas in (*CANVASES, "#agent-0 .subcarriers", "#differences"):
        assert colors_in(browser, canvas) > (1 if canvas == "#differences" else 4), canvas
    assert_quiet(browser)


def test_keys(browser: Browser, digits: Path, recorded: Recording) -> None:
    browser.open_file(digits)
    differs = recorded.differs
    walk = [
        (Keys.ARROW_RIGHT, 1),
        (Keys.ARROW_RIGHT, 2),
        (Keys.ARROW_LEFT, 1),
        (Keys.END, LAST_SLOT),
        ("p", max(step for step in differs if step < LAST_SLOT)),
        (Keys.HOME, 0),
        ("n", min(step for step in differs if step > 0)),
        (Keys.HOME, 0),
        (Keys.ARROW_LEFT, 0),
    ]
    for key, step in walk:
        browser.press(key)
        assert step_of(browser) == step, key
    browser.press(Keys.ARROW_RIGHT, holding=Keys.SHIFT)
    assert step_of(browser) == 10
    assert_quiet(browser)


def test_an_address_names_the_slot(browser: Browser, digits: Path) -> None:
    browser.open_file(digits)
    browser.run("location.hash = '#37'")
    WebDriverWait(browser.driver, 20).until(lambda _: step_of(browser) == 37)
    browser.driver.refresh()
    assert step_of(browser) == 37
    browser.run("location.hash = '#9999'")
    WebDriverWait(browser.driver, 20).until(lambda _: step_of(browser) == LAST_SLOT)
    browser.run("location.hash = '#nowhere'")
    WebDriverWait(browser.driver, 20).until(lambda _: step_of(browser) == 0)
    assert_quiet(browser)


def test_a_links_number_hides_no_server(browser: Browser, digits: Path) -> None:
    browser.open_file(digits)
    # One server lies in the middle of the link, with its number below.
    x, y, width, height = browser.run(
        """
        const context = document.createElement("canvas").getContext("2d");
        let patch = null;
        context.roundRect = (...box) => { patch = box.slice(0, 4); };
        const places = [[40, 100], [260, 100], [150, 100]];
        tagLink(context, places[0], places[1], 14, places, { color: "#000000", subcarrier: 10 });
        return patch;
        """
    )
    assert 40 + 14 < x < x + width < 260 - 14
    assert not (x < 150 + 14 and x + width > 150 - 14)
    assert y < 100 < y + height


def test_the_space_bar_plays_and_pauses(browser: Browser, digits: Path) -> None:
    browser.open_file(digits)
    browser.press(" ")
    assert browser.text("#play") == "Pause"
    WebDriverWait(browser.driver, 20).until(lambda _: step_of(browser) > 3)
    browser.press(" ")
    assert browser.text("#play") == "Play"
    stopped = step_of(browser)
    assert browser.run("return document.getElementById('announcement').textContent")
    browser.run("return new Promise((done) => setTimeout(done, 400))")
    assert step_of(browser) == stopped


def test_playing_ends_at_the_end_and_begins_anew(browser: Browser, layers: Path) -> None:
    browser.open_file(layers)
    Select(browser.find("#speed")).select_by_visible_text("25 / s")
    browser.find("#play").click()
    WebDriverWait(browser.driver, 20).until(lambda _: browser.text("#play") == "Play")
    assert "layer 8 / 8" in browser.text("#where")
    browser.press(" ")
    assert step_of(browser) < 7


def test_buttons_and_slider(browser: Browser, digits: Path, recorded: Recording) -> None:
    browser.open_file(digits)
    for button, step in (("forward", 1), ("back", 0), ("last", LAST_SLOT), ("first", 0)):
        browser.find(f"#{button}").click()
        assert step_of(browser) == step, button
    browser.find("#next-difference").click()
    assert step_of(browser) == min(step for step in recorded.differs if step > 0)
    click_at(browser, "#step", 0.5)
    assert abs(step_of(browser) - LAST_SLOT / 2) < 10


def test_a_click_in_a_picture_goes_there(browser: Browser, digits: Path) -> None:
    browser.open_file(digits)
    for canvas in ("#curves canvas", "#strips canvas"):
        click_at(browser, canvas, 0.75)
        assert 330 < step_of(browser) < 390, canvas
        browser.press(Keys.HOME)


def test_pictures_change_with_the_step(browser: Browser, digits: Path) -> None:
    browser.open_file(digits)
    before = [picture(browser, canvas) for canvas in CANVASES]
    click_at(browser, "#step", 0.3)
    after = [picture(browser, canvas) for canvas in CANVASES]
    assert all(one != other for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize("step", [0, 31, 240, LAST_SLOT])
def test_words_say_what_was_recorded(
    browser: Browser, digits: Path, recorded: Recording, step: int
) -> None:
    browser.open_file(digits)
    browser.run("player.jump(arguments[0])", step)
    for place, run in enumerate(recorded.runs):
        words = browser.text(f"#agent-{place} .words")
        assert (
            f"arrived at server {run['origin'][step, 0]}, {run['payload'][step, 0]:.1f}"[:-2]
            in words
        )
        if run["kept"][step, 0]:
            assert f"→ server {run['server'][step, 0]} " in words
            assert f"{run['slots'][step, 0]} slot" in words
            assert f"{1000 * run['energy_j'][step]:.3g} mJ, of which" in words
        else:
            assert "→ rejected" in words
        figures = browser.text(f"#agent-{place} .figures")
        shown = float(re.search(r"return so far\n(\S+)", figures)[1].replace("−", "-"))  # type: ignore[index]
        assert shown == pytest.approx(run["return"][step], rel=1e-3)


def test_the_servers_as_a_table(browser: Browser, digits: Path) -> None:
    browser.open_file(digits)
    browser.press(Keys.END)
    browser.find("#agent-0 summary").click()
    WebDriverWait(browser.driver, 5).until(lambda _: browser.find_all("#agent-0 tbody tr"))
    rows = [row.text for row in browser.find_all("#agent-0 tbody tr")]
    assert len(rows) == 12
    assert all("digits" in row for row in rows)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_it_fits_and_is_seen(
    browser: Browser, digits: Path, layers: Path, width: int, theme: Theme
) -> None:
    for name, page, steps in (("digits", digits, (0, 31, LAST_SLOT)), ("dmoe", layers, (0, 7))):
        browser.open_file(page, width=width, theme=theme)
        for step in steps:
            browser.run("player.jump(arguments[0])", step)
            browser.save_screenshot(f"replay-{name}-{step}-{width}-{theme}")
            assert browser.overflow() == 0
        background = browser.run("return getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(255, 255, 255)") == (theme == "light")
        assert_quiet(browser)


def test_the_theme_can_be_switched(browser: Browser, digits: Path) -> None:
    browser.open_file(digits, theme="light")
    before = picture(browser, "#agent-0 .map")
    browser.find("#theme").click()
    color = browser.find("body").value_of_css_property("background-color")
    assert color == "rgba(20, 23, 28, 1)"
    assert picture(browser, "#agent-0 .map") != before
    browser.press("t")
    assert picture(browser, "#agent-0 .map") == before


def test_a_token_is_put_in_words(browser: Browser, layers: Path) -> None:
    browser.open_file(layers)
    Select(browser.find("#token")).select_by_visible_text("node 2, token 1")
    for place in (0, 1):
        assert "node 2, token 1" in browser.text(f"#agent-{place} .words")
    click_at(browser, "#agent-0 .map", 0.5)
    assert "node 2, token 1" not in browser.text("#agent-0 .words")
    run = record(DMOE_PRESETS["contended"], ["jesa"], 3).runs[0]
    assert f"over {(run['subcarrier'][0] >= 0).sum()} links" in browser.text("#agent-0 .words")
    assert f"{int(run['cost'][0])} tokens of 32 short of it" in browser.text("#agent-0 .words")


def test_one_agent_and_the_same_agent_twice(browser: Browser, tmp_path: Path) -> None:
    toy = OFFLOADING_PRESETS["toy"]
    for agents in (["nearest"], ["nearest", "nearest"]):
        page = tmp_path / f"{len(agents)}.html"
        recording = record(toy, agents, 0)
        page.write_text(render_page(recording, Scenario("toy", toy, agents), Bounds(None, ""), ""))
        browser.open_file(page)
        assert len(browser.find_all(".agent")) == len(agents)
        assert not browser.find("#next-difference").is_enabled()
        browser.press(Keys.END, "n")
        assert step_of(browser) == 3
        assert_quiet(browser)


def test_what_data_say_stays_text(browser: Browser, tmp_path: Path) -> None:
    hostile = "<img src='https://example.org/x.png' onerror='alert(1)'>"
    toy = OFFLOADING_PRESETS["toy"]
    page = tmp_path / "hostile.html"
    scenario = Scenario(hostile, toy, ["nearest"])
    recording = record(toy, ["nearest"], 0)
    page.write_text(render_page(recording, scenario, Bounds(None, hostile), hostile))
    browser.open_file(page)
    assert browser.text("h1") == f"nearest on {hostile}"
    assert hostile in browser.text("#curves")
    assert browser.find_all("img") == []
    assert_quiet(browser)


def test_it_can_be_used_without_a_mouse_or_eyes(browser: Browser, digits: Path) -> None:
    browser.open_file(digits)
    for button in browser.find_all("button"):
        assert button.accessible_name.strip() not in ("", "|◀", "▶|", "◀", "▶", "◐")
    for canvas in browser.find_all("canvas"):
        hidden, label = canvas.get_attribute("aria-hidden"), canvas.get_attribute("aria-label")
        assert hidden == "true" or label
    browser.press(Keys.TAB)
    focused = browser.driver.switch_to.active_element
    assert focused.get_attribute("id") == "theme"
    assert focused.value_of_css_property("outline-style") == "solid"
    browser.press(Keys.ENTER)
    assert browser.run("return document.documentElement.dataset.theme") == "dark"
