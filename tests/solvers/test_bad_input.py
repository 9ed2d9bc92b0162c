"""Malformed input raises a ValueError that names the argument, before any compiled code runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mec_moe_agents.solvers import (
    LayerProblem,
    allocate_jointly,
    allocate_jointly_plus,
    allocate_subcarriers,
    lower_bound,
    select_experts,
    solve_exactly,
)

TOKEN: dict[str, Any] = {
    "energy": [1.0, 2.0],
    "score": [0.5, 0.5],
    "threshold": 0.5,
    "max_experts": 1,
}
LINKS: dict[str, Any] = {"bits": [1.0, 1.0], "rate": np.ones((2, 3)), "power": 1.0}
LAYER: dict[str, Any] = {
    "score": np.full((2, 1, 2), 0.5),
    "rate": np.ones((2, 2, 3)),
    "compute_energy": np.ones(2),
    "threshold": 0.5,
    "max_experts": 1,
    "state_bits": 1.0,
    "power": 1.0,
}


def refused(solver: Callable[..., Any], good: dict[str, Any], argument: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"\b{argument}\b"):
        solver(**{**good, argument: value})


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("energy", [1.0, np.nan]),
        ("energy", [1.0, -1.0]),
        ("energy", [1.0, 2.0, 3.0]),
        ("energy", 1.0),
        ("energy", ["a", "b"]),
        ("score", [0.5, np.nan]),
        ("score", [0.5, np.inf]),
        ("score", [0.5, -0.5]),
        ("score", [0.5]),
        ("score", [[0.5], [0.5]]),
        ("threshold", np.nan),
        ("threshold", [0.5, 0.5]),
        ("max_experts", -1),
        ("max_experts", 1.5),
        ("max_experts", True),
        ("available", [True] * 3),
        ("available", [0.5, 1.0]),
        ("available", ["yes", "no"]),
        ("node_limit", -1),
        ("node_limit", 1e6),
        ("gap", -0.1),
        ("gap", 1.0),
        ("gap", np.nan),
        ("gap", [0.1, 0.1]),
    ],
)
def test_select_experts(argument: str, value: Any) -> None:
    select_experts(**TOKEN)
    refused(select_experts, TOKEN, argument, value)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("bits", [1.0, np.nan]),
        ("bits", [1.0, -1.0]),
        ("bits", [1.0, np.inf]),
        ("bits", [1.0]),
        ("bits", 1.0),
        ("rate", np.full((2, 3), np.nan)),
        ("rate", np.full((2, 3), -1.0)),
        ("rate", np.ones(3)),
        ("rate", np.ones((2, 1))),
        ("power", -1.0),
        ("power", np.nan),
        ("power", [1.0, 1.0]),
    ],
)
def test_allocate_subcarriers(argument: str, value: Any) -> None:
    allocate_subcarriers(**LINKS)
    refused(allocate_subcarriers, LINKS, argument, value)


def test_batches_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="bits"):
        allocate_subcarriers(np.ones((2, 2)), np.ones((3, 2, 3)), 1.0)
    with pytest.raises(ValueError, match="rate"):
        LayerProblem(**{**LAYER, "score": np.ones((2, 2, 1, 2)), "rate": np.ones((3, 2, 2, 3))})


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("score", np.full((2, 1, 2), np.nan)),
        ("score", np.full((2, 1, 2), -1.0)),
        ("score", np.ones((2, 2))),
        ("rate", np.full((2, 2, 3), np.nan)),
        ("rate", np.full((2, 2, 3), -1.0)),
        ("rate", np.ones((2, 3, 3))),
        ("rate", np.ones((2, 3))),
        ("compute_energy", [1.0, np.nan]),
        ("compute_energy", [1.0, -1.0]),
        ("compute_energy", np.ones(3)),
        ("threshold", np.nan),
        ("threshold", np.ones(3)),
        ("max_experts", -1),
        ("state_bits", 0.0),
        ("state_bits", np.inf),
        ("power", -1.0),
        ("power", [1.0, 1.0]),
        ("sources", [0]),
        ("sources", [0, 2]),
        ("sources", [0, 0]),
        ("sources", [0.0, 1.0]),
        ("available", [True, False, True]),
        ("return_rate", -np.ones((2, 2, 3))),
        ("return_rate", np.ones((2, 2, 4))),
    ],
)
def test_joint_problem(argument: str, value: Any) -> None:
    refused(LayerProblem, LAYER, argument, value)


def test_limits_of_the_joint_solvers() -> None:
    good = {"problem": LayerProblem(**LAYER)}
    batch = LayerProblem(**{**LAYER, "score": np.ones((1, 2, 1, 2))})
    refused(allocate_jointly, good, "max_iterations", 0)
    refused(allocate_jointly, good, "node_limit", -1)
    refused(lower_bound, good, "node_limit", -1)
    refused(allocate_jointly_plus, good, "max_iterations", 0)
    refused(allocate_jointly_plus, good, "node_limit", -1)
    refused(allocate_jointly_plus, good, "effort", -1)
    refused(solve_exactly, good, "time_limit", 0.0)
    with pytest.raises(ValueError, match="score has batch axes"):
        solve_exactly(batch)


def test_message_gives_place_value_and_range() -> None:
    with pytest.raises(ValueError, match=r"score is -0\.5 at index \(1, 0\); it must be ≥ 0"):
        select_experts(np.ones((2, 2)), [[0.5, 0.0], [-0.5, 0.5]], 0.5, 1)


def test_messages_give_the_sizes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="score has 3 experts, energy 4; both"):
        select_experts(np.ones((2, 4)), np.ones((2, 3)), 0.5, 1)
    with pytest.raises(ValueError, match="bits has 3 links, rate 2; must be equal"):
        allocate_subcarriers(np.ones(3), np.ones((2, 4)), 1.0)
    with pytest.raises(ValueError, match="bits has 3 used links; rate offers only 2 subcarriers"):
        allocate_subcarriers(np.ones(3), np.ones((3, 2)), 1.0)
    with pytest.raises(ValueError, match=r"must end in \(2, 2, subcarriers\)"):
        LayerProblem(**{**LAYER, "rate": np.ones((2, 3, 2))})
    with pytest.raises(ValueError, match="nodes go from 0 to 1"):
        LayerProblem(**{**LAYER, "sources": [0, 2]})
    with pytest.raises(ValueError, match=r"threshold has shape \(3,\); it must broadcast"):
        select_experts(np.ones((2, 4)), np.ones((2, 4)), np.ones(3), 1)
    with pytest.raises(ValueError, match="it must have at least 1 dimensions"):
        select_experts(1.0, 1.0, 0.5, 1)


def test_zeros_and_ones_are_as_good_as_booleans() -> None:
    energy, score = [1.0, 2.0, 3.0], [0.5, 0.5, 0.5]
    for usable in ([False, True, True], [0, 1, 1], [0.0, 1.0, 1.0], np.array([0, 1, 1], np.uint8)):
        found = select_experts(energy, score, 0.4, 1, available=usable)
        assert found.selected.tolist() == [False, True, False]
    for wrong in ([-1, 1, 1], [2, 1, 1], [0.5, 1.0, 1.0]):
        with pytest.raises(ValueError, match="must hold only True or False"):
            select_experts(energy, score, 0.4, 1, available=wrong)
