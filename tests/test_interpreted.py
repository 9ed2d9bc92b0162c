"""Bounds, plans and solvers also run as plain Python, to debug them or count coverage."""

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import json
from mec_moe_agents import certified_bound
from mec_moe_agents.bounds.layers import episode_problem
from mec_moe_agents.planning import plan
from mec_moe_agents.solvers import (
    allocate_jointly_plus, charge_layer, layer_bound, optimise_layer, select_experts
)
from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS, foresight

offloading, dmoe = OFFLOADING_PRESETS["toy"], DMOE_PRESETS["toy"]
problem = episode_problem(dmoe, foresight(dmoe, 0))
charges = charge_layer(problem)
print(json.dumps({
    "plan": plan(offloading, foresight(offloading, 0), effort=50).value,
    "bound": certified_bound(offloading, [0], rounds=4)[0],
    "reserve": charges.reserve.ravel().tolist(),
    "least": layer_bound(problem, charges).tolist(),
    "jesa": allocate_jointly_plus(problem, effort=20).energy.tolist(),
    "best": optimise_layer(problem, charges, effort=20).value.tolist(),
    "selected": select_experts([1.0, 2.0, 4.0], [0.2, 0.3, 0.5], 0.6, 2).selected.tolist(),
}))
"""


def test_python_runs_bounds_plans_and_solvers_of_the_toys() -> None:
    variables = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        env=variables,
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(run.stdout)
    assert found["plan"] == pytest.approx(-3.8)
    assert -3.8 <= found["bound"] <= -3.799
    assert found["reserve"] == pytest.approx([0.07, 0.08, 0.07, 0.08])
    assert found["least"] == pytest.approx([0.105, 0.075])
    assert found["jesa"] == found["best"] == pytest.approx([0.125, 0.095])
    assert found["selected"] == [True, False, True]
