"""The table of groups against enumeration."""

import itertools

import numpy as np
import pytest
from mec_moe_agents.solvers.selection_bound import new_workspace
from mec_moe_agents.solvers.selection_core import build_core
from mec_moe_agents.solvers.selection_groups import build_groups, cheapest_group


@pytest.mark.parametrize("most", [3, 5, 7])
def test_finds_the_cheapest_group_in_a_band(most):
    rng = np.random.default_rng(most)
    work = new_workspace(14)
    work.energy[:], work.score[:], work.expert[:] = rng.random(14), rng.random(14), np.arange(14)
    core = build_core(work, 14, most, np.array([0.5]))
    assert (np.diff(core.score) <= 0).all()
    threshold = 0.8 * core.reach[most]
    groups = build_groups(core, threshold, most)
    assert groups.size == min(most, 5)
    found = 0
    for _ in range(300):
        first = int(rng.integers(0, 8))
        low = rng.uniform(threshold - core.reach[most - groups.size], core.reach[groups.size])
        high = low + rng.choice([0.001, 0.01, 0.05])
        energy, entry, looked = cheapest_group(core.energy, groups, first, low, high, 2.0)
        if not looked:
            continue
        inside = [
            core.energy[list(members)].sum()
            for members in itertools.combinations(range(first, 14), groups.size)
            if low <= core.score[list(members)].sum() <= high
        ]
        assert energy == pytest.approx(min([2.0, *inside]))
        assert (entry >= 0) == (energy < 2.0)
        found += entry >= 0
    assert found > 10
