"""What holds of every step of offloading, worked out from what was shown."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_env import OffloadingConfig
from mec_moe_env.offloading.table import Slot
from tests.fuzz.invariants import ROUNDING, SINGLE, close, require, shares
from tests.fuzz.transition import Observation, Transition

EXOGENOUS = ("task", "payload", "origin", "spectral_efficiency", "compute", "progress")
"""What no action changes."""
CANCELLATION = 1e-9
"""Share of all that was ever at stake by which rounding may make an error negative."""
COUNTS = ("accepted", "rejected", "dropped_picks", "lost")


class OffloadingChecks:
    """Follows n sub-environments of one configuration."""

    def __init__(self, config: OffloadingConfig, num_envs: int) -> None:
        self._config = config
        self._time = np.zeros(num_envs, np.int64)
        self._returned = np.zeros(num_envs)
        """Σ reward_error since the episode began."""
        self._largest = np.zeros(num_envs)
        """Largest error that was ever summed, or that rejecting everything would have been."""
        self._stake = np.zeros(num_envs)

    def begin(self, rows: NDArray[np.bool_]) -> None:
        """Forget the episodes before, of those who begin one."""
        for sums in (self._time, self._returned, self._largest, self._stake):
            sums[rows] = 0

    def masks(self, observation: Observation, masks: NDArray[np.bool_]) -> None:
        """Require masks to say what servers and subcarriers say."""
        slot = Slot.read(observation, self._config)
        U, D = self._config.num_tasks, self._config.max_experts
        free = slot.subcarrier_busy == 0.0
        some = free.any(axis=1)[:, np.newaxis]
        servers = (slot.busy == 0.0)[:, np.newaxis] & (some[..., np.newaxis] | (slot.origin > 0))
        none = np.ones((*servers.shape[:2], 1), np.bool_)
        subcarriers = np.broadcast_to(
            (free | ~some)[:, np.newaxis], (*servers.shape[:2], free.shape[1])
        )
        wanted = np.repeat(np.concatenate([servers, none, subcarriers], axis=2), D, axis=1)
        require(masks == wanted.reshape(masks.shape), "masks are what is idle and free")
        assert wanted.shape[1] == U * D

    def step(self, step: Transition, rejecting: NDArray[np.float64]) -> None:
        """Check a transition; `rejecting` is the zero model's error on the tasks before, (n, U)."""
        config, rows = self._config, step.stepped
        self.begin(~rows)
        self._time[rows] += 1
        self._counts(step)
        self._costs(step)
        self._errors(step, rejecting)
        progress = np.float32(self._time / config.horizon)
        require(step.after["progress"][:, 0] == progress, "progress = t/T", progress)
        require(step.ended == (self._time >= config.horizon), "the end is at the horizon")

    def _counts(self, step: Transition) -> None:
        config, rows = self._config, step.stepped
        for name in COUNTS:
            require(step.of(name) >= 0, f"{name} ≥ 0")
        served = step.of("accepted") + step.of("rejected")
        require(served == config.num_tasks, "accepted + rejected = U", served)
        require(step.of("lost") <= config.num_servers, "lost ≤ M")
        picks = Picks(config, {key: entry[rows] for key, entry in step.before.items()})
        picks.carry_out(step.actions[rows])
        for name, counted in (("dropped_picks", picks.dropped), ("accepted", picks.accepted)):
            require(step.of(name) == counted, f"{name} as counted", step.of(name), counted)
        sent, spent = step.of("transmission_energy_j"), step.of("energy_j")
        close(sent, picks.sent, SINGLE, "transmission_energy_j as priced")
        close(spent, picks.sent + picks.trained, SINGLE, "energy_j as priced")

    def _costs(self, step: Transition) -> None:
        slots, accepted = step.of("delay_slots"), step.of("accepted")
        most = accepted * self._config.max_delay
        require((slots >= accepted) & (slots <= most), "1 to d_u slots a task", slots, accepted)
        require(step.of("reward_energy") == -step.of("energy_j"), "reward_energy = −J")
        require(step.of("reward_delay") == -slots, "reward_delay = −slots")

    def _errors(self, step: Transition, rejecting: NDArray[np.float64]) -> None:
        rows = step.stepped
        tasks = self._config.num_tasks * self._time[rows]
        total = step.of("generalization_error") * tasks
        self._stake[rows] += rejecting[rows].sum(axis=1)
        self._returned[rows] += step.of("reward_error")
        self._largest[rows] = np.maximum(self._largest[rows], np.abs(total))
        known = self._largest[rows] + self._stake[rows]
        apart = np.abs(total + self._returned[rows])
        slack = ROUNDING * (1 + self._time[rows]) * known
        require(apart <= slack, "Σ reward_error = −E", total, -self._returned[rows])
        require(total >= -CANCELLATION * known, "no negative error", total, known)
        if "accuracy" in step.infos:
            shares(step, "accuracy")


class Picks:
    """Carries picks out a second time, in all sub-environments at once: who gets what."""

    def __init__(self, config: OffloadingConfig, observation: Observation) -> None:
        slot: Any = Slot.read(observation, config)
        self._config, self._slot = config, slot
        self._idle, self._free = slot.busy == 0.0, slot.subcarrier_busy == 0.0
        n = len(slot.busy)
        self._rows = np.arange(n)
        self.dropped, self.accepted = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self.sent, self.trained = np.zeros(n), np.zeros(n)
        """Joules."""

    def carry_out(self, actions: NDArray[np.int64]) -> None:
        """Count and price the picks of actions, (n, 2·U·D)."""
        U, D, _ = self._config.action_shape
        picks = actions.reshape(len(actions), U, D, 2)
        for u in range(U):
            self._taken = np.zeros(len(actions), np.bool_)
            for j in range(D):
                self._pick(u, picks[:, u, j, 0], picks[:, u, j, 1])
            self.accepted += self._taken

    def _pick(self, u: int, servers: NDArray[np.int64], subcarriers: NDArray[np.int64]) -> None:
        config, slot, rows = self._config, self._slot, self._rows
        wanted = servers < config.num_servers
        m = np.where(wanted, servers, 0)
        here = slot.origin[rows, u, m] > 0
        possible = wanted & self._idle[rows, m] & (here | self._free[rows, subcarriers])
        self.dropped += wanted & ~possible
        self._taken |= possible
        self._idle[rows[possible], m[possible]] = False
        away = possible & ~here
        self._free[rows[away], subcarriers[away]] = False
        efficiency = slot.spectral_efficiency[rows, u, m, subcarriers].astype(np.float64)
        bits = 1e6 * (slot.payload[:, u].astype(np.float64) + config.result_mbit)
        seconds = bits / (config.bandwidth_hz * efficiency)
        self.sent += np.where(away, config.power_w * seconds, 0.0)
        joules = slot.compute[rows, m, 0].astype(np.float64)
        self.trained += np.where(possible, config.samples_per_task * joules, 0.0)
