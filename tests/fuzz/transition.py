"""One step of a vector environment, told alike whatever the autoreset mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Observation = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Transition:
    """What n sub-environments showed, were told to do, and answered."""

    before: Observation
    """What was shown when the actions were chosen."""
    actions: NDArray[np.int64]
    """(n, choices)."""
    reward: NDArray[np.float64]
    infos: dict[str, Any]
    """Of the step itself, also where the next episode began within it."""
    after: Observation
    """What the step led to, also where the next episode began within it."""
    stepped: Flags
    """Who carried out its action: the others began an episode instead."""
    ended: Flags

    def of(self, name: str) -> NDArray[Any]:
        """Return an info of those who stepped."""
        return np.asarray(self.infos[name])[self.stepped]


def told_alike(
    before: Observation, actions: NDArray[np.int64], over: Flags, result: tuple[Any, ...]
) -> tuple[Transition, Observation]:
    """Return the transition, and what is shown now, from what `step` returned.

    `over` tells who had ended before the step, (n,).
    """
    observation, reward, terminated, truncated, infos = result
    assert not truncated.any(), "an episode was truncated"
    after, own = observation, infos
    if "final_obs" in infos:
        rows = np.flatnonzero(terminated)
        after = {key: entry.copy() for key, entry in observation.items()}
        for row in rows.tolist():
            for key, entry in infos["final_obs"][row].items():
                after[key][row] = entry
        last = infos["final_info"]
        own = {key: np.array(infos[key]) for key in last if not key.startswith("_")}
        for key, values in own.items():
            values[rows] = last[key][rows]
    return Transition(before, actions, reward, own, after, ~over, terminated), observation
