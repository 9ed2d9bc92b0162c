"""A gate that watches episodes and learns from the actions of somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mec_moe_agents.agent import Observation
from mec_moe_agents.offloading.topk import make_gate
from mec_moe_agents.wrappers.accepted_picks import accepted_picks
from mec_moe_env import OffloadingConfig, Slot

ENTRY = "relevance"
GATING_BOUND = 1e4
"""The gating network's scores, which have no scale, are shown up to this size."""
BOUNDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "profile": (-1.0, 1.0),
        "guard": (-1.0, 1.0),
        "gating": (-GATING_BOUND, GATING_BOUND),
    }
)
"""(lowest, highest) relevance shown, by gate; the lowest also stands for −inf, never."""


class RelevanceTracker:
    """The relevance that a gate finds in n episodes, whoever acts in them.

    Args:
        config: the environment's configuration.
        batch: n.
        gate: `profile`, `guard` or `gating`.
        options: keyword arguments of the gate.

    Raises:
        TypeError: the environment is not of `mec_moe/Offloading-v0`; the gate does not know an
            option.
        ValueError: the gate is unknown, or an option is out of range or not allowed here.
    """

    def __init__(self, config: Any, batch: int, gate: str, options: Mapping[str, Any]) -> None:
        if not isinstance(config, OffloadingConfig):
            raise TypeError(
                f"GateObservation needs an environment of mec_moe/Offloading-v0, got {config!r}"
            )
        for name in ("noise", "seed"):
            if name in options:
                raise ValueError(
                    f"{name} = {options[name]!r} is not allowed: a policy explores by itself, "
                    "the scores that it observes are free of the router's noise"
                )
        quiet: dict[str, Any] = {"noise": 0.0} if gate == "gating" else {}
        self._gate = make_gate(gate, config, **options, **quiet)
        self._config = config
        self._low, self._high = BOUNDS[gate]
        self._state = self._gate.start(batch)
        self._slot: Slot | None = None

    def space(self, own: spaces.Space[Any]) -> spaces.Dict:
        """Return the observation space with the relevance, given the environment's own.

        Raises:
            TypeError: it is not a Dict with the environment's entries.
        """
        wanted = self._config.observation_shapes.keys()
        if not isinstance(own, spaces.Dict) or not wanted <= own.keys():
            raise TypeError(f"GateObservation needs the environment's own observation, got {own}")
        size = self._config.num_tasks * self._config.num_servers
        return spaces.Dict({**own, ENTRY: spaces.Box(self._low, self._high, (size,), np.float32)})

    def begin(self, observation: Observation, rows: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Begin new episodes in the rows where `rows` (n,) is true; the others stand still.

        Args:
            observation: of all n, batched.
            rows: where it is the first of an episode.

        Returns:
            Relevance, (n, U·M).
        """
        self._gate.reset(self._state, rows)
        return self._look(Slot.read(observation, self._config))

    def follow(
        self, actions: NDArray[np.int64], observation: Observation, acted: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Learn from what was done in the slot before and from what it brought.

        Args:
            actions: flat, (n, U·D·2).
            observation: what came of them, batched.
            acted: (n,), false where a new episode begins and the action had no effect.

        Returns:
            Relevance, (n, U·M).

        Raises:
            RuntimeError: no episode was begun.
        """
        if self._slot is None:
            raise RuntimeError("call reset() before step()")
        servers = accepted_picks(self._slot, actions, self._config)
        self._gate.remember(self._state, self._slot, servers)
        if not acted.all():
            # Forgets with the episode what an action without effect seemed to teach.
            self._gate.reset(self._state, ~acted)
        slot = Slot.read(observation, self._config)
        self._gate.learn(self._state, slot)
        return self._look(slot)

    def _look(self, slot: Slot) -> NDArray[np.float32]:
        self._slot = slot
        relevance = self._gate.relevance(self._state, slot).clip(self._low, self._high)
        return relevance.reshape(slot.batch, -1).astype(np.float32)
