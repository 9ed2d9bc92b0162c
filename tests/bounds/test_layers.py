"""The bound on DMoE's return against enumeration and against what agents get."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from mec_moe_agents import certified_bound, evaluate
from mec_moe_agents.bounds.layers import certify_layers

from mec_moe_env import DMOE_PRESETS, DMoEConfig, DMoEVectorEnv

TINY = DMoEConfig(num_nodes=2, tokens_per_source=1, num_layers=2, num_subcarriers=2)
VARIANTS = {
    "plain": TINY,
    "scarce": TINY.override(num_subcarriers=1, area_m=2000.0),
    "shaky": TINY.override(failure_rate=0.5, csi_delay=1),
    "there and back": TINY.override(count_backward=True),
    # Half of the links need longer for one state, most of the others for two.
    "deadline": TINY.override(
        area_m=2000.0, num_sources=1, tokens_per_source=2, deadline_seconds=0.05
    ),
    "cheap violations": TINY.override(error_weight=0.2, energy_weight=1.5),
    "no weights": TINY.override(error_weight=0.0, energy_weight=0.0),
}


def best_return(config: DMoEConfig, seed: int) -> float:
    """Return the sum over layers of the best reward of all actions, in the real environment."""
    env = DMoEVectorEnv(1, config)
    sizes = env.single_action_space.nvec
    actions = np.array(list(itertools.product(*map(range, sizes))))
    many = DMoEVectorEnv(len(actions), config)
    many.reset(seed=[seed] * len(actions))
    # Layers do not touch each other: every row sees all of them, each with an action of its own.
    return float(sum(many.step(actions)[1].max() for _ in range(config.num_layers)))


@pytest.mark.parametrize("name", VARIANTS)
def test_no_action_exceeds_the_bound(name: str) -> None:
    config = VARIANTS[name]
    slack = []
    for seed in range(8):
        best = best_return(config, seed)
        (bound,) = certify_layers(config, [seed])
        assert best <= bound
        slack.append(bound - best)
    assert min(slack) < 1e-6  # and somewhere it is reached


# Without exclusivity the bound is loose where links outnumber subcarriers.
@pytest.mark.parametrize(
    ("scenario", "share"), [("default", 0.3), ("contended", 0.6), ("toy", 0.3)]
)
def test_optimal_comes_close_to_the_bound(scenario: str, share: float) -> None:
    seeds = [0, 1, 2]
    config = DMOE_PRESETS[scenario]
    reached = evaluate("optimal", config, seeds).metrics["return"]
    plus = evaluate("jesa-plus", config, seeds).metrics["return"]
    bound = certified_bound(config, seeds)
    assert (reached <= bound).all()
    assert (reached >= plus - 1e-9).all()
    assert (bound - reached < share * -bound).all()


def test_the_toys_bound_by_hand() -> None:
    # Layer 1: both experts for both tokens, 2·(0.02 + 0.01) J and a state of 1 Mbit each way at
    # best, 0.1·(1/5 + 1/4) J, out of E_ref with the worse subcarriers, 0.1·(1/2.5 + 1/2) J.
    first = -(0.06 + 0.02 + 0.025) / (0.06 + 0.04 + 0.05)
    (bound,) = certify_layers(DMOE_PRESETS["toy"], [0])
    # Layer 2: token 0 wants 0.5 of (0.25, 0.75), token 1 has 1 at node 0, Top-2 are the reference.
    second = -((0.01 + 0.02) + (0.02 + 0.025)) / 0.15
    assert bound == pytest.approx(first + second, rel=1e-6)


def test_a_real_model_is_refused() -> None:
    with pytest.raises(ValueError, match="gates = 'digits'"):
        certify_layers(DMOE_PRESETS["digits-moe"], [0])
    with pytest.raises(ValueError, match="seed = -1"):
        certify_layers(TINY, [-1])
