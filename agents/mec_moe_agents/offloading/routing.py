"""The agent that serves each task by the servers which a gate finds most relevant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from numpy.typing import ArrayLike

from mec_moe_agents.agent import Observation, Seed, check_batch, starting_rows, with_batch_axis
from mec_moe_agents.offloading.gates import Gate
from mec_moe_agents.offloading.gating import GatingNetwork
from mec_moe_agents.offloading.picks import greedy_action
from mec_moe_agents.offloading.profile import GuardGate, ProfileGate
from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.config import suggest
from mec_moe_env.core.buffers import Floats, Integers

GATES: Mapping[str, Callable[..., Gate[Any]]] = MappingProxyType(
    {
        "gating": GatingNetwork,
        "profile": lambda config, seed, **options: ProfileGate(config, **options),
        "guard": lambda config, seed, **options: GuardGate(config, **options),
    }
)
"""The gates that know experts, by name; called with configuration, `seed` and options."""


def make_gate(name: str, config: OffloadingConfig, *, seed: Seed = 0, **options: Any) -> Gate[Any]:
    """Build a gate by name; `options` are its keyword arguments.

    Raises:
        ValueError: the name is unknown, or an option is out of range.
        TypeError: the gate does not know an option.
    """
    if name not in GATES:
        raise ValueError(f"unknown gate {name!r}: {suggest(name, GATES)}")
    return GATES[name](config, seed=seed, **options)


class RoutingState(NamedTuple):
    """State of an agent over a batch of sub-environments."""

    batch: int
    gate: Any


class RoutingAgent:
    """A gate and a number of picks make an agent: best servers, best free subcarriers.

    With D picks this is Top-k of Qin et al. 2025.

    Args:
        config: the environment's configuration.
        gate: scores the servers.
        picks: most experts per task, 1..D.

    Raises:
        ValueError: `picks` is outside 1..D.
    """

    def __init__(self, config: OffloadingConfig, gate: Gate[Any], picks: int = 1) -> None:
        if not 1 <= picks <= config.max_experts:
            raise ValueError(f"picks = {picks} is not allowed: 1..{config.max_experts}")
        self.config = config
        self.gate = gate
        self.picks = picks

    def predict(
        self,
        observation: Observation,
        state: RoutingState | None = None,
        episode_start: ArrayLike | None = None,
        deterministic: bool = True,
    ) -> tuple[Integers, RoutingState]:
        """Choose the actions of a batch of slots (or of one) and learn from what they show.

        `deterministic` changes nothing: exploration noise is part of the algorithms that have it.

        Args:
            observation: entries of shape (n, size), or (size,) for a single environment.
            state: what the previous call returned, updated in place; None starts afresh.
            episode_start: (n,) booleans; rows where it is true start a new episode.
            deterministic: ignored.

        Returns:
            Flat actions, (n, U·D·2) or (U·D·2,), and the state for the next call.

        Raises:
            ValueError: the state belongs to another batch size, or an entry has a wrong size.
        """
        batched, single = with_batch_axis(observation)
        slot = Slot.read(batched, self.config)
        state = self._begin(state, slot.batch, episode_start)
        self.gate.learn(state.gate, slot)
        relevance = self.gate.relevance(state.gate, slot)
        action = self.choose(relevance, slot)
        self.gate.remember(state.gate, slot, action[..., 0])
        flat = action.reshape(slot.batch, -1)
        return (flat[0] if single else flat), state

    def choose(self, relevance: Floats, slot: Slot) -> Integers:
        """Return server and subcarrier of each pick, (n, U, D, 2), from relevance (n, U, M)."""
        return greedy_action(relevance, slot, self.picks, self.config.max_experts)

    def _begin(
        self, state: RoutingState | None, batch: int, episode_start: ArrayLike | None
    ) -> RoutingState:
        if state is None:
            return RoutingState(batch, self.gate.start(batch))
        check_batch(state.batch, batch)
        starts = starting_rows(episode_start, batch)
        if starts.any():
            self.gate.reset(state.gate, starts)
        return state
