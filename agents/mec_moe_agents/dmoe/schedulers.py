"""The schedulers of Qin et al. 2025: by relevance alone, and by energy under a threshold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.agent import Seed, UniformRows, row_seeds
from mec_moe_agents.dmoe.agent import Plan
from mec_moe_agents.dmoe.layer import (
    SAFETY,
    ThresholdSchedule,
    layer_problem,
    link_rates,
    remote_links,
    token_joules,
)
from mec_moe_agents.solvers import (
    ExactAllocation,
    JointAllocation,
    allocate_jointly,
    allocate_jointly_plus,
    allocate_subcarriers,
    charge_layer,
    optimise_layer,
    select_experts,
    solve_exactly,
)
from mec_moe_env import DMoEConfig, Layer
from mec_moe_env.config import Real, Whole, reject
from mec_moe_env.core.buffers import Flags
from mec_moe_env.dmoe.step import TOLERANCE

EFFORT = 200
"""Moves of JESA+ in a layer; on `paper` more hardly ever find anything."""
LARGEST_EXACT = 1024
"""Token-expert-subcarrier combinations up to which a layer takes `exact` about a second."""


class RandomScheduler:
    """D random available experts of each token; used links get random, different subcarriers.

    Args:
        config: the environment's configuration.
        seed: row i draws from seed + i; a sequence gives each row its own.
    """

    def __init__(self, config: DMoEConfig, seed: Seed = 0) -> None:
        self._config = config
        self._seed = seed

    def start(self, batch: int) -> UniformRows:
        """Return one stream of random numbers per row."""
        I, Q, _ = self._config.expert_shape
        width = I * Q * self._config.num_nodes + self._config.num_subcarriers
        return UniformRows(row_seeds(self._seed, batch), width)

    def schedule(self, state: UniformRows, layer: Layer) -> Plan:
        """Decide for every row."""
        numbers = state.draw()
        score = numbers[:, : layer.gate[0].size].reshape(layer.gate.shape)
        selected = highest(score, layer.available > 0, self._config.max_experts)
        selected = keep_servable(selected, layer, self._config)
        used = (selected.any(axis=2) & remote_links(self._config)).reshape(layer.batch, -1)
        shuffled = numbers[:, layer.gate[0].size :].argsort(axis=1)
        place = np.where(used, used.cumsum(axis=1) - 1, 0)
        subcarrier = np.where(used, np.take_along_axis(shuffled, place, axis=1), -1)
        return Plan(selected, subcarrier.reshape(layer.batch, *self._config.link_shape))


class StatelessScheduler:
    """A scheduler that looks at the present layer only; base of most.

    Args:
        config: the environment's configuration.
        schedule: the thresholds; None takes those of the configuration.
    """

    def __init__(self, config: DMoEConfig, schedule: ThresholdSchedule | None = None) -> None:
        self._config = config
        self._schedule = schedule or ThresholdSchedule(config)

    def start(self, batch: int) -> None:
        """Return no state."""


class IdleScheduler(StatelessScheduler):
    """Nobody for any token, as the action space allows: what every scheduler has to beat."""

    def schedule(self, state: None, layer: Layer) -> Plan:
        """Decide for every row."""
        links = (layer.batch, *self._config.link_shape)
        return Plan(np.zeros(layer.gate.shape, np.bool_), np.full(links, -1))


class TopScheduler(StatelessScheduler):
    """The most relevant experts of each token, subcarriers by exact assignment.

    Top-k of Qin et al. 2025; it takes no threshold.

    Args:
        config: the environment's configuration.
        experts: k, D by default.

    Raises:
        ValueError: `experts` is not in 1..D.
    """

    def __init__(self, config: DMoEConfig, experts: int | None = None) -> None:
        super().__init__(config)
        most = config.max_experts
        if experts is not None and not Whole(1, most).admits(experts):
            raise reject("experts", experts, f"None or {Whole(1, most)} (max_experts)")
        self._experts = most if experts is None else int(experts)

    def schedule(self, state: None, layer: Layer) -> Plan:
        """Decide for every row."""
        selected = highest(layer.gate, layer.available > 0, self._experts)
        return assign_exactly(selected, layer, self._config)


class SelectionScheduler(StatelessScheduler):
    """DES for each token as if every link had its best subcarrier; then exact assignment.

    Selection never looks back: where links outnumber subcarriers, tokens lose the experts behind
    the links that `keep_servable` closes, while JESA lets them choose anew.
    """

    def schedule(self, state: None, layer: Layer) -> Plan:
        """Decide for every row."""
        found = select_experts(
            token_joules(layer, self._config)[:, :, np.newaxis],
            layer.gate,
            self._schedule.thresholds(layer)[:, np.newaxis, np.newaxis],
            self._config.max_experts,
        )
        return assign_exactly(found.selected, layer, self._config)


class JointScheduler(StatelessScheduler):
    """JESA: alternating expert selection and subcarrier assignment; with an effort, JESA+.

    Args:
        config: the environment's configuration.
        schedule: the thresholds.
        effort: most moves of JESA+ in a layer; 0 is JESA.
    """

    def __init__(self, config: DMoEConfig, schedule: ThresholdSchedule, effort: int = 0) -> None:
        super().__init__(config, schedule)
        self._effort = effort

    def schedule(self, state: None, layer: Layer) -> Plan:
        """Decide for every row."""
        problem = layer_problem(layer, self._schedule.thresholds(layer), self._config)
        found = allocate_jointly_plus(problem, effort=self._effort)
        return Plan(found.selected, found.subcarrier)


class OptimalScheduler(StatelessScheduler):
    """The best action of each layer in the return's own terms (our extension).

    Starts from what JESA+ does, so that it is never worse.
    With given gates a layer's decision touches no later one, so this is the best policy as far as
    the search finds the optimum and the observation shows the channel: an old one with
    `csi_delay`, without the way back, and deadlines are not looked at. With a real model, what
    an error costs is not known layer by layer; violations are then charged as with given gates at
    equal weights, which amounts to the least energy under the thresholds (P1).

    Args:
        config: the environment's configuration.
        schedule: the thresholds; None takes those of the configuration.
        patience: of the search; by default more where subcarriers are scarce.
    """

    def __init__(
        self,
        config: DMoEConfig,
        schedule: ThresholdSchedule | None = None,
        patience: int | None = None,
    ) -> None:
        super().__init__(config, schedule)
        self._patience = patience
        self._plus = JointScheduler(config, self._schedule, EFFORT)
        given = config.gates != "digits"
        self._weights = (config.error_weight, config.energy_weight) if given else (1.0, 1.0)

    def schedule(self, state: None, layer: Layer) -> Plan:
        """Decide for every row."""
        # Half the environment's tolerance is left to what float32 hides; more would be waste.
        thresholds = self._schedule.thresholds(layer) / (1.0 + SAFETY)
        problem = layer_problem(layer, thresholds, self._config)
        error, energy = self._weights
        charges = charge_layer(
            problem, error_weight=error, energy_weight=energy, tolerance=TOLERANCE / 2
        )
        start = self._plus.schedule(state, layer).selected
        found = optimise_layer(problem, charges, start=start, patience=self._patience)
        return Plan(found.selected, found.subcarrier)


class ExactScheduler(StatelessScheduler):
    """The true optimum of every layer, by mixed-integer programming (HiGHS).

    Args:
        config: the environment's configuration.
        schedule: the thresholds.
        time_limit: seconds after which a layer gets the best that HiGHS has found, or JESA's.

    Raises:
        ValueError: the scenario is too large, or the limit out of range.
    """

    def __init__(
        self, config: DMoEConfig, schedule: ThresholdSchedule, time_limit: float = 20.0
    ) -> None:
        if not (allowed := Real(0, open_low=True)).admits(time_limit):
            raise reject("time_limit", time_limit, allowed)
        if not is_small(config):
            raise ValueError(
                f"exact needs at most {LARGEST_EXACT} combinations I·Q·K·S of token, expert and "
                f"subcarrier, but this scenario has {combinations(config)}: take jesa-plus"
            )
        super().__init__(config, schedule)
        self._time_limit = time_limit

    def schedule(self, state: None, layer: Layer) -> Plan:
        """Decide for every row."""
        plans = []
        for row, threshold in enumerate(self._schedule.thresholds(layer)):
            single = Layer(*(entry[row] for entry in layer))
            problem = layer_problem(single, threshold, self._config)
            found: ExactAllocation | JointAllocation
            found = solve_exactly(problem, time_limit=self._time_limit)
            if not math.isfinite(found.energy):
                found = allocate_jointly(problem)
            plans.append((found.selected, found.subcarrier))
        return Plan(*map(np.stack, zip(*plans, strict=True)))


def combinations(config: DMoEConfig) -> int:
    """Return I·Q·K·S, what the size of the exact program grows with."""
    tokens = config.sources * config.tokens_per_source
    return tokens * config.num_nodes * config.num_subcarriers


def is_small(config: Any) -> bool:
    """Say whether `exact` can act in a scenario."""
    return combinations(config) <= LARGEST_EXACT


def highest(score: NDArray[np.floating], available: Flags, count: int) -> Flags:
    """Select the `count` available experts of the highest score, ties to the lower index.

    Scores and what is selected are (n, I, Q, K), `available` is (n, K).
    """
    usable = np.broadcast_to(available[:, np.newaxis, np.newaxis], score.shape)
    order = np.argsort(np.where(usable, -score, np.inf), axis=-1, kind="stable")[..., :count]
    selected = np.zeros(score.shape, dtype=np.bool_)
    np.put_along_axis(selected, order, values=True, axis=-1)
    return selected & usable


def keep_servable(selected: Flags, layer: Layer, config: DMoEConfig) -> Flags:
    """Close links until there is a subcarrier for each; returns the selection that is left.

    The links that carry the most relevance stay (our extension). Rows with enough subcarriers
    keep what they have.
    """
    carried = np.where(selected, layer.gate.astype(np.float64), 0.0).sum(axis=2)
    used = selected.any(axis=2) & remote_links(config)
    order = np.where(used, -carried, np.inf).reshape(len(used), -1).argsort(axis=1, kind="stable")
    rank = order.argsort(axis=1, kind="stable").reshape(used.shape)
    closed = used & (rank >= config.num_subcarriers)
    return selected & ~closed[:, :, np.newaxis]


def assign_exactly(selected: Flags, layer: Layer, config: DMoEConfig) -> Plan:
    """Give every used link its own subcarrier at the least total energy (Qin et al. 2025).

    Where more links are in use than there are subcarriers, `keep_servable` closes some.
    """
    selected = keep_servable(selected, layer, config)
    bits = config.state_bits * selected.sum(axis=2) * remote_links(config)
    n, S = layer.batch, config.num_subcarriers
    found = allocate_subcarriers(
        bits.reshape(n, -1), link_rates(layer, config).reshape(n, -1, S), config.power_w
    ).subcarrier
    return Plan(selected, found.reshape(bits.shape))
