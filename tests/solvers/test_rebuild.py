"""Ruin and recreate: whose experts are taken, by definition, and what is built in their place."""

from __future__ import annotations

import numpy as np
import pytest
from mec_moe_agents.solvers.layer_bound import weighed_layers
from mec_moe_agents.solvers.layer_draft import Draft, Room, copy_draft, draft, room_for, settle
from mec_moe_agents.solvers.layer_optimum import plan_jointly, restrict
from mec_moe_agents.solvers.rebuild import (
    LINKS,
    MOST_TAKEN,
    NUMBERS,
    SOURCE,
    count_numbers,
    rebuild,
)
from mec_moe_agents.solvers.token_choice import Weighed
from numpy.typing import NDArray

from tests.solvers.test_layer_optimum import crowded

Floats = NDArray[np.float64]
ROWS = 60
VALUES = (1.48933614287, 1.93750474939, 1.01328499581)
"""Of all plans that are rebuilt, in all, with the seeds 0, 1 and 2."""


def planned(seed: int) -> tuple[Weighed, Draft, Room]:
    """Return a layer, JESA's plan for it, and the scratch."""
    problem, charges = crowded(seed)
    ((instance, layer),) = weighed_layers(problem, charges, 1000)
    first = plan_jointly(instance)
    everybody = np.tile(np.arange(first.shape[2]), (first.shape[0], 1))
    small, plan = restrict(layer, first, everybody)
    room = room_for(small)
    settle(small, plan, room)
    return small, plan, room


def next_link(plan: Draft, start: int) -> int:
    """Return the first link in use, i·K + k, from one on, around the table."""
    count = plan.subcarrier.size
    turned = np.roll(plan.subcarrier.reshape(-1) >= 0, -start)
    return (start + int(turned.argmax())) % count


def expected_ruins(plan: Draft, numbers: Floats) -> NDArray[np.bool_]:
    """Return whose experts a round takes, (I, Q)."""
    sources, tokens, experts = plan.selected.shape
    ruined = np.zeros((sources, tokens), np.bool_)
    if numbers[0] < LINKS:
        drawn = numbers[1:3] if numbers[3] < 0.5 else numbers[1:2]
        for number in drawn:
            i, k = divmod(next_link(plan, int(number * sources * experts)), experts)
            ruined[i] |= plan.selected[i, :, k]
    elif numbers[0] < SOURCE:
        ruined[int(numbers[1] * sources)] = True
    else:
        own = numbers[NUMBERS + ruined.size : NUMBERS + 2 * ruined.size].reshape(ruined.shape)
        ruined = own < MOST_TAKEN * numbers[4]
    return ruined


@pytest.mark.parametrize("seed", range(3))
def test_a_round_takes_whom_its_numbers_name(seed: int) -> None:
    layer, plan, room = planned(seed)
    width = count_numbers(*plan.selected.shape)
    sources, tokens, experts = plan.selected.shape
    assert width == NUMBERS + 2 * sources * tokens + sources * experts
    total, kinds = 0.0, set()
    for numbers in np.random.default_rng(seed).random((ROWS, width)):
        trial = draft(*plan.selected.shape)
        copy_draft(plan, trial)
        rebuild(layer, trial, room, numbers)
        ruined = expected_ruins(plan, numbers)
        np.testing.assert_array_equal(room.ruined, ruined)
        np.testing.assert_array_equal(trial.selected[~ruined], plan.selected[~ruined])
        assert (trial.selected.sum(axis=2) <= layer.most).all()
        load = trial.selected.sum(axis=1) * layer.remote
        np.testing.assert_array_equal(trial.load * layer.remote, load)
        used = trial.subcarrier[(load > 0)]
        assert (used >= 0).all()
        assert np.unique(used).size == used.size
        total += settle(layer, trial, room)
        kinds.add(int(np.searchsorted([LINKS, SOURCE], numbers[0], side="right")))
    assert kinds == {0, 1, 2}
    assert total == pytest.approx(VALUES[seed], rel=1e-9)
