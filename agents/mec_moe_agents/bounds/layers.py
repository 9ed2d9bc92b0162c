"""A bound on the return of DMoE with given gates, valid for every policy, clairvoyant ones too.

1. Gates, channel, availability and E_ref do not depend on actions, and a layer's reward depends on
   that layer's action alone. So the return is at most the sum over layers of the best reward.
2. Every action amounts to experts for each token, at most D available ones, that arrived over
   links with a subcarrier each: picks that are dropped or lost only remove experts. What a lost or
   dropped state costs is left out (costs are ≥ 0).
3. A state that travels i→j costs at least c_ij = min over s of c_ijs, with the way back if that
   counts; with a finite deadline only over those s on which one state alone would be in time, as
   more states take longer. Exclusivity (C3) is left out.
4. Then tokens are independent. A token that is not violated costs at least the cheapest set of at
   most D experts that reaches t_q·(1 − 1e-6) (DES, exact, or its proven bound); a violated one
   costs w_err·ρ_q·(1 + m_q) and the energy of its experts, minimised exactly (`token_choice`).
5. The sum of the lesser of the two over the tokens, per E_ref, bounds a layer's −reward from
   below. The result is loosened by 1e-9 of itself against rounding.

No assumption on weights, S < L, failures (`failure_rate`), stale channels (`csi_delay`: what
transmissions really meet counts), `count_backward` or deadlines enters.

With a real model gates depend on actions, and this says nothing: each layer's reward can be 0 in
its energy term (nobody is chosen), and how small the last cross-entropy can get is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mec_moe_agents.solvers import LayerProblem, charge_layer, layer_bound
from mec_moe_env import DMoEConfig, DMoEForesight, foresight
from mec_moe_env.config import reject
from mec_moe_env.core.buffers import Floats

MARGIN = 1e-9
"""Relative, above what rounding can do to a sum of some thousand terms."""


def certify_layers(config: DMoEConfig, seeds: Sequence[int]) -> Floats:
    """Return what no policy's undiscounted return exceeds on each seed, (n,).

    Args:
        config: with given gates: random, a trace, or the toy's.
        seeds: of the episodes, as `reset(seed=...)` takes them.

    Raises:
        ValueError: `gates` is 'digits', where nothing useful is proved; or a seed is negative.
    """
    if config.gates == "digits":
        raise reject(
            "gates",
            config.gates,
            "gates that no action changes: with a real model no bound on the return is proved",
        )
    return np.array([bound_episode(config, foresight(config, int(seed))) for seed in seeds])


def bound_episode(config: DMoEConfig, episode: DMoEForesight) -> float:
    """Return what no policy's return exceeds in an episode."""
    problem = episode_problem(config, episode)
    charges = charge_layer(
        problem, error_weight=config.error_weight, energy_weight=config.energy_weight
    )
    in_time = replace(problem, rate=without_late(config, episode))
    least = layer_bound(in_time, charges) / charges.reference
    return float(-least.sum() * (1.0 - MARGIN))


def episode_problem(config: DMoEConfig, episode: DMoEForesight) -> LayerProblem:
    """State the problem of all layers of an episode, as it is and not as it is seen, (L,)."""
    back = episode.return_efficiency.astype(np.float64) * config.bandwidth_hz
    thresholds = config.qos * np.array(config.layer_importance)
    return LayerProblem(
        score=episode.gates,
        rate=episode.spectral_efficiency.astype(np.float64) * config.bandwidth_hz,
        compute_energy=episode.joules,
        threshold=thresholds[-len(episode.gates) :, np.newaxis, np.newaxis],
        max_experts=config.max_experts,
        state_bits=config.state_bits,
        power=config.power_w,
        available=episode.available,
        return_rate=back if config.count_backward else None,
    )


def without_late(config: DMoEConfig, episode: DMoEForesight) -> Floats:
    """Return bit/s, (L, I, K, S), 0 where not even a single state meets the deadline."""
    rate = episode.spectral_efficiency.astype(np.float64) * config.bandwidth_hz
    with np.errstate(divide="ignore"):
        seconds = config.state_bits / rate
        if config.count_backward:
            back = episode.return_efficiency.astype(np.float64) * config.bandwidth_hz
            seconds = seconds + config.state_bits / back
    return np.where(seconds <= config.deadline_seconds * (1.0 + MARGIN), rate, 0.0)
