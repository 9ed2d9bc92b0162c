"""A browser for the tests of pages; `make browser` runs them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from tests.browser.page import Browser, missing_programs, running_chromium

SCREENSHOTS = Path(os.environ.get("MEC_MOE_SCREENSHOTS", "runs/browser"))
"""Folder for the pictures that the tests leave for people to look at."""


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    missing = missing_programs()
    if missing:
        pytest.exit(
            f"no {' and no '.join(missing)}: on Debian, apt-get install chromium chromium-driver",
            returncode=1,
        )
    with running_chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def browser(chromium: Chrome) -> Browser:
    """Return a visitor who has opened nothing yet."""
    return Browser(chromium, SCREENSHOTS)
