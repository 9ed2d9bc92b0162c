"""The cheapest servers that are relevant enough: DES and JESA in Offloading.

Qin et al. 2025 choose experts for tokens of a layer; here tasks of a slot take their place
(reconstructed). A gate's relevance has no fixed scale, so a server's score is
exp((relevance − best)/temperature), in [0, 1], and a task needs `quality` times the score that
its D best servers reach together.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mec_moe_agents.offloading.gates import Gate
from mec_moe_agents.offloading.picks import (
    Openings,
    best_efficiency,
    bits_on_air,
    costs_over,
    pick_costs,
)
from mec_moe_agents.offloading.routing import RoutingAgent
from mec_moe_agents.solvers import allocate_subcarriers, select_experts
from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.config import Real, check
from mec_moe_env.core.buffers import Flags, Floats, Integers

MOST_ITERATIONS = 8
"""Of JESA; two or three are usual."""
LEAST_BITS = 1e-3
"""Even an empty payload takes a subcarrier of its own."""


class Dispatch(NamedTuple):
    """Servers and subcarriers of a batch of slots."""

    selected: Flags
    """(n, U, M)."""
    subcarrier: Integers
    """(n, U, M), −1 for links that carry nothing."""
    joules: Floats
    """(n,), transmission and computation."""


class EnergyMinimalAgent(RoutingAgent):
    """Spends as little energy as the demanded relevance allows (after Qin et al. 2025).

    Args:
        config: the environment's configuration.
        gate: scores the servers.
        iterations: of selection and assignment; 0 is DES, more are JESA.
        quality: share of the best reachable score that a task needs.
        temperature: difference in relevance at which a server's score falls to 1/e.

    Raises:
        ValueError: the quality or the temperature is out of range.
    """

    def __init__(
        self,
        config: OffloadingConfig,
        gate: Gate[Any],
        iterations: int,
        quality: float,
        temperature: float,
    ) -> None:
        check("quality", quality, Real(0, 1))
        check("temperature", temperature, Real(0, open_low=True))
        super().__init__(config, gate, picks=config.max_experts)
        self.iterations = iterations
        self.quality = quality
        self.temperature = temperature

    def choose(self, relevance: Floats, slot: Slot) -> Integers:
        """Return server (M = none) and subcarrier of each pick, (n, U, D, 2).

        The most relevant server comes first; the tasks choose in their order of arrival. No
        iterations are DES with an exact assignment.
        """
        best = self.dispatch(pick_costs(slot, self.config).joules, relevance, slot)
        for _ in range(self.iterations):
            trial = self.dispatch(link_joules(best, slot, self.config), relevance, slot)
            # Nobody may lose the only server for the sake of energy.
            served = trial.selected.any(axis=2).sum(axis=1) >= best.selected.any(axis=2).sum(axis=1)
            better = served & (trial.joules < best.joules * (1.0 - 1e-12))
            if not better.any():
                break
            for kept, new in zip(best, trial, strict=True):
                kept[better] = new[better]
        return to_picks(best, relevance, self.config)

    def dispatch(self, joules: Floats, relevance: Floats, slot: Slot) -> Dispatch:
        """Select at these prices (n, U, M), then assign subcarriers exactly."""
        config = self.config
        selected = self.select_servers(joules, relevance, slot)
        n, U, M = selected.shape
        bits = np.maximum(bits_on_air(slot, config), LEAST_BITS)
        free = (slot.subcarrier_busy == 0)[:, np.newaxis, np.newaxis]
        efficiency = slot.spectral_efficiency.astype(np.float64)
        subcarrier = allocate_subcarriers(
            (bits[..., np.newaxis] * (selected & (slot.origin == 0))).reshape(n, U * M),
            np.where(free, config.bandwidth_hz * efficiency, 0.0).reshape(n, U * M, -1),
            config.power_w,
        ).subcarrier.reshape(n, U, M)
        found = Dispatch(selected, subcarrier, np.zeros(n))
        spent = np.where(selected, link_joules(found, slot, config), 0.0).sum(axis=(1, 2))
        return found._replace(joules=spent)

    def select_servers(self, joules: Floats, relevance: Floats, slot: Slot) -> Flags:
        """Select at these prices (n, U, M), and promise no server or subcarrier twice."""
        most = self.config.max_experts
        selected = np.zeros(relevance.shape, dtype=np.bool_)
        openings = Openings(slot)
        for u in range(relevance.shape[1]):
            usable = openings.available(u) & (relevance[:, u] > -np.inf)
            score = scores(relevance[:, u], usable, self.temperature)
            enough = self.quality * np.sort(score, axis=1)[:, -most:].sum(axis=1)
            found = select_experts(joules[:, u], score, enough, most, available=usable)
            chosen = found.selected & usable
            remote = np.where(chosen & ~openings.local(u), -score, np.inf)
            rank = remote.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
            chosen &= np.isinf(remote) | (rank < openings.left[:, np.newaxis])
            openings.reserve(u, chosen)
            selected[:, u] = chosen
        return selected


def link_joules(chosen: Dispatch, slot: Slot, config: OffloadingConfig) -> Floats:
    """Return joules of serving each task by each server, (n, U, M).

    A link that `chosen` uses has its subcarrier; every other the best that is free, or that its
    own task would give up.
    """
    free = np.repeat((slot.subcarrier_busy == 0)[:, np.newaxis], slot.origin.shape[1], axis=1)
    rows, tasks, servers = np.nonzero(chosen.subcarrier >= 0)
    own = chosen.subcarrier[rows, tasks, servers]
    free[rows, :, own] = False
    free[rows, tasks, own] = True
    efficiency = best_efficiency(slot, free, config)
    used = slot.spectral_efficiency[rows, tasks, servers, own]
    efficiency[rows, tasks, servers] = np.maximum(used, config.min_spectral_efficiency)
    return costs_over(efficiency, slot, config).joules


def scores(relevance: Floats, usable: Flags, temperature: float) -> Floats:
    """Return exp((relevance − best)/temperature) of usable servers, 0 of the others, (n, M)."""
    known = np.where(usable, relevance, -np.inf)
    best = known.max(axis=1, keepdims=True)
    # Infinite relevance, in either direction, has no difference to itself.
    distance = np.subtract(known, best, out=np.zeros_like(known), where=known != best)
    return np.where(usable, np.exp(distance / temperature), 0.0)


def to_picks(found: Dispatch, relevance: Floats, config: OffloadingConfig) -> Integers:
    """Write the chosen servers as picks, (n, U, D, 2)."""
    preference = np.where(found.selected, -relevance, np.inf)
    order = preference.argsort(axis=-1, kind="stable")[..., : config.max_experts]
    chosen = np.take_along_axis(found.selected, order, axis=-1)
    links = np.take_along_axis(found.subcarrier, order, axis=-1)
    action = np.zeros((*relevance.shape[:2], config.max_experts, 2), dtype=np.int64)
    action[..., 0] = config.num_servers
    width = order.shape[-1]
    action[..., :width, 0] = np.where(chosen, order, config.num_servers)
    action[..., :width, 1] = np.where(chosen, np.maximum(links, 0), 0)
    return action
