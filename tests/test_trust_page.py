"""Long runs have their places in `docs/trust.md`, and differences are measured right."""

import math

import pytest

from tests.environments.test_golden import VARIANTS
from tests.record import PAGE, replaced, told
from tests.targets import CHOSEN, available, furthest


def test_every_long_run_has_its_place() -> None:
    page = PAGE.read_text("utf-8")
    for name in ("fuzz", "lifecycle", "mutants", "targets", "matrix"):
        once = replaced(page, name, "one")
        assert once.count("one\n<!-- end of") == 1
        assert replaced(once, name, "other") == once.replace("one\n<!-- end", "other\n<!-- end")
    with pytest.raises(ValueError, match="no place for 'luck'"):
        replaced(page, "luck", "")


def test_notes_of_other_code_are_told() -> None:
    page = (
        "`python -m tests.fuzz --steps 9`, 2026-01-02, code `ab12`: fine.\n"
        "Run `python -m tests.fuzz`.\n`python -m tests.matrix`, 2026-01-03, code `cd34`: fine."
    )
    assert told(page, "ab12") == [
        "python -m tests.fuzz --steps 9, 2026-01-02: this code",
        "python -m tests.matrix, 2026-01-03: of cd34, now ab12",
    ]
    assert len(told(PAGE.read_text("utf-8"), "ab12")) == 5


def test_a_difference_is_a_share_of_the_largest_number() -> None:
    one = {"a": [1.0, -200.0, math.inf], "b": [0.0, 0.0]}
    assert furthest(one, one) == 0.0
    assert furthest({"a": [1.0, -200.0]}, {"a": [1.5, -200.0]}) == 0.0025
    assert furthest({"b": [0.0]}, {"b": [1e-7]}) == 1e-7
    with pytest.raises(ValueError, match="other arrays"):
        furthest(one, {"a": [1.0]})


def test_trajectories_that_are_compared_exist() -> None:
    assert set(CHOSEN) <= set(VARIANTS)
    assert "SSE2" in available()
