"""Agents are told apart by their colours, by readers with deuteranopia too."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mec_moe_agents.evaluation.color import contrast, distance, lab, linear_of
from mec_moe_agents.evaluation.looks import FAR_APART, LOOKS, look_of, looks_of
from mec_moe_agents.registry import agent_names

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS

EVERYONE = {
    "offloading": agent_names(OFFLOADING_PRESETS["joint"]),
    "dmoe": agent_names(DMOE_PRESETS["digits-moe"]),
}


def test_colours_of_the_standard() -> None:
    """CIE L*a*b* of sRGB's red and white, and ΔE of black and white."""
    np.testing.assert_allclose(lab(linear_of("#FF0000")), (53.24, 80.09, 67.20), atol=0.01)
    np.testing.assert_allclose(lab(linear_of("#FFFFFF")), (100, 0, 0), atol=0.01)
    assert distance("#000000", "#FFFFFF") == pytest.approx(100, abs=0.01)
    assert contrast("#000000") == pytest.approx(21)


def test_red_and_green_are_near_with_deuteranopia() -> None:
    red, green = "#B00020", "#5A6B00"
    plain = np.linalg.norm(lab(linear_of(red)) - lab(linear_of(green)))
    assert plain > 80
    assert distance(red, green) < plain / 2


@pytest.mark.parametrize("pair", list(itertools.combinations(("learned", "gating", "des"), 2)))
def test_the_agents_that_are_looked_for_are_far_apart(pair: tuple[str, str]) -> None:
    assert distance(*(LOOKS[agent].color for agent in pair)) > 2 * FAR_APART


@pytest.mark.parametrize("env", EVERYONE)
def test_no_two_agents_of_an_environment_look_alike(env: str) -> None:
    looks = looks_of(EVERYONE[env])
    assert set(looks) <= LOOKS.keys()
    for one, other in itertools.combinations(looks.values(), 2):
        assert distance(one.color, other.color) > 15, (one, other)
        assert (one.line, one.marker) != (other.line, other.marker)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text("abc-()", min_size=1, max_size=6), min_size=1, max_size=6, unique=True))
def test_an_agent_of_ones_own_has_a_colour_of_its_own(names: list[str]) -> None:
    agents = [*EVERYONE["offloading"], *names]
    looks = looks_of(agents)
    assert list(looks) == agents
    assert looks == {name: looks_of(agents[::-1])[name] for name in agents}
    colors = [look.color for look in looks.values()]
    for name in names:
        others = [color for color in colors if color != looks[name].color]
        assert len(others) == len(agents) - 1
        assert min(distance(looks[name].color, other) for other in others) > 5
    assert looks["guard"] == look_of("guard")
