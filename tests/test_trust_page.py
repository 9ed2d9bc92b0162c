"""Long runs have their places in `docs/trust.md`, and differences are measured right."""

import math

import pytest

from tests.environments.test_golden import VARIANTS
from tests.record import PAGE, replaced
from tests.targets import CHOSEN, available, furthest


def test_every_long_run_has_its_place() -> None:
    page = PAGE.read_text("utf-8")
    for name in ("fuzz", "lifecycle", "mutants", "targets", "matrix"):
        once = replaced(page, name, "one")
        assert once.count("one\n<!-- end of") == 1
        assert replaced(once, name, "other") == once.replace("one\n<!-- end", "other\n<!-- end")
    with pytest.raises(ValueError, match="no place for 'luck'"):
        replaced(page, "luck", "")


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
