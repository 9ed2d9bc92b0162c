"""What a gate is, the gates of schedulers that know nothing of experts, and the greedy oracle."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import numpy as np

from mec_moe_agents.agent import Seed, UniformRows, row_seeds
from mec_moe_agents.environments import call_batched
from mec_moe_agents.offloading.picks import pick_costs
from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.core.buffers import Flags, Floats, Integers

State = TypeVar("State")

# A rejection counts for ever, but later trainings heal much of the damage of one: on seeds kept
# apart from every evaluation, 3 did best or nearly so on digits, default, scarce and joint.
PATIENCE = 3.0


class Gate(ABC, Generic[State]):
    """The part of a scheduler that says how relevant each server is for each arriving task.

    Whoever holds the gate decides about subcarriers. A gate keeps nothing of its own: what it
    learns lives in the state, one row for each sub-environment, updated in place.
    """

    @abstractmethod
    def start(self, batch: int) -> State:
        """Return the state of `batch` fresh episodes."""

    @abstractmethod
    def relevance(self, state: State, slot: Slot) -> Floats:
        """Return the relevance of each server for each task, (n, U, M); −inf is never."""

    def reset(self, state: State, rows: Flags) -> None:
        """Forget, in the rows where `rows` (n,) is true, everything about the episode."""

    def learn(self, state: State, slot: Slot) -> None:
        """Learn from the trainings that ended in the slot before."""

    def remember(self, state: State, slot: Slot, servers: Integers) -> None:
        """Note the servers that took the tasks, (n, U, D) with M = none."""


class StatelessGate(Gate[int]):
    """A gate that looks at the present slot only; its state is the batch size."""

    def start(self, batch: int) -> int:
        """Return the batch size."""
        return batch


class NearestGate(StatelessGate):
    """Nearest idle server: the origin itself, otherwise the one that it hears best.

    Traditional MEC (Li & Duan 2024). Positions are not observed; the mean spectral efficiency
    of the link over the subcarriers stands for nearness.
    """

    def relevance(self, state: int, slot: Slot) -> Floats:
        """Return the mean spectral efficiency of each link, infinite in-situ: (n, U, M)."""
        heard = np.einsum("nums->num", slot.spectral_efficiency, dtype=np.float64)
        return np.where(slot.origin > 0, np.inf, heard / slot.spectral_efficiency.shape[-1])


class MostPowerfulGate(StatelessGate):
    """Fastest idle server. Traditional MEC (Li & Duan 2024)."""

    def relevance(self, state: int, slot: Slot) -> Floats:
        """Return minus the seconds per sample of each server, (n, U, M)."""
        speed = -slot.compute[:, np.newaxis, :, 1].astype(np.float64)
        return np.broadcast_to(speed, slot.origin.shape)


class RejectAllGate(StatelessGate):
    """No server is ever relevant: the lower bound of energy and delay."""

    def relevance(self, state: int, slot: Slot) -> Floats:
        """Return −inf everywhere, (n, U, M)."""
        return np.full(slot.origin.shape, -np.inf)


class RandomGate(Gate[UniformRows]):
    """Random idle server, the ablation of Li & Duan 2024.

    Args:
        config: the environment's configuration.
        seed: row i draws from seed + i; a sequence gives each row its own.
    """

    def __init__(self, config: OffloadingConfig, seed: Seed = 0) -> None:
        self._width = config.num_tasks * config.num_servers
        self._seed = seed

    def start(self, batch: int) -> UniformRows:
        """Return one stream of random numbers per row."""
        return UniformRows(row_seeds(self._seed, batch), self._width)

    def relevance(self, state: UniformRows, slot: Slot) -> Floats:
        """Return uniform random numbers, (n, U, M)."""
        return state.draw().reshape(slot.origin.shape)


class GreedyOracleGate(StatelessGate):
    """Greedy on the true consequences, which no contender can see (our extension).

    Reads from the environment by how much the summed error E_t would grow if each server took
    the task and trained on it now, adds energy and delay as the reward weighs them, and takes the
    cheapest. It rejects a task when even a third of that growth, plus energy and delay, costs
    more than the error of a rejection. It does not plan: where servers are scarce a contender
    that keeps some in reserve can beat it. Choosing the idle server with the least true
    error does far worse, for it does not see what it destroys.

    The environment must stand at the slot that is being decided.

    Args:
        config: the environment's configuration.
        env: the environment whose observations `relevance` will be asked about.
    """

    def __init__(self, config: OffloadingConfig, env: Any) -> None:
        self._config = config
        self._env = env

    def relevance(self, state: int, slot: Slot) -> Floats:
        """Return minus the true cost, (n, U, M), −inf where a rejection is cheaper."""
        weight = self._config.error_weight
        growth = call_batched(self._env, "error_increments", single_ndim=2)
        idle = np.isfinite(growth)
        increment = np.where(idle, growth, 0.0)  # 0 · inf would be NaN
        rejection = call_batched(self._env, "rejection_errors", single_ndim=1)[..., np.newaxis]
        price = pick_costs(slot, self._config).weighted(self._config)
        pays = weight * (rejection - increment / PATIENCE) > price
        return np.where(idle & pays, -weight * increment - price, -np.inf)
