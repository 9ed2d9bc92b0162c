"""What a compiled step writes, and how it is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from mec_moe_env.core.buffers import (
    Entries,
    Flags,
    Floats,
    Integers,
    Outcomes,
    Shapes,
    Singles,
    offsets_of,
)


class Buffers(NamedTuple):
    """What the compiled step of n sub-environments writes."""

    measures: Floats
    """`Outcomes.measures` by row, (…, n)."""
    counts: Integers
    """`Outcomes.counts` by row, (…, n)."""
    observation: Singles
    """The entries one after the other, (n, sum of their sizes)."""
    masks: Flags
    """Flat action masks, (n, sum(nvec))."""


class BufferTable:
    """Makes fresh buffers for every step and names what was written to them."""

    def __init__(
        self,
        outcomes: Outcomes,
        shapes: Shapes,
        mask_size: int,
        num_envs: int,
        has_accuracy: bool,
    ) -> None:
        self.reward = outcomes.row("reward")
        shown = outcomes.measures if has_accuracy else outcomes.measures[:-1]
        self._shown = slice(self.reward + 1, len(shown))
        self.numbers = (*shown[self._shown], *outcomes.counts)
        """Names of the infos but for the action mask."""
        self._names = (*self.numbers, "action_mask")
        self._keys = (*self._names, *(f"_{name}" for name in self._names))
        ends = offsets_of(shapes).tolist()
        self._entries = [(key, slice(*ends[index : index + 2])) for index, key in enumerate(shapes)]
        self._sizes = len(outcomes.measures), len(outcomes.counts), ends[-1], mask_size
        self._num_envs = num_envs
        self._everywhere = np.ones((len(self._names), num_envs), np.bool_)

    def empty(self) -> Buffers:
        """Return buffers of zeros, with room for the observation and the masks."""
        measures, counts, observation, _ = self._sizes
        n = self._num_envs
        return Buffers(
            np.zeros((measures, n)),
            np.zeros((counts, n), np.int64),
            np.empty((n, observation), np.float32),
            self.empty_masks(),
        )

    def empty_masks(self) -> Flags:
        """Return room for the masks."""
        return np.empty((self._num_envs, self._sizes[3]), np.bool_)

    def observation(self, written: Singles) -> Entries:
        """Name the entries of observations, (…, size) each."""
        return {key: written[..., where] for key, where in self._entries}

    def infos(self, buffers: Buffers) -> dict[str, Any]:
        """Name what a step measured; all arrays lead with a batch axis."""
        return dict(zip(self._names, self._values(buffers), strict=True))

    def infos_of_all(self, buffers: Buffers) -> dict[str, Any]:
        """Name the same with Gymnasium's `_key` masks: every sub-environment reports.

        Between steps other code empties the caches, so that every call made here costs a
        multiple of what it does alone: hence all masks at once.
        """
        masks = self._everywhere.copy()
        return dict(zip(self._keys, (*self._values(buffers), *masks), strict=True))

    def single(self, buffers: Buffers) -> tuple[Entries, float, dict[str, Any]]:
        """Return observation, reward and info of the first sub-environment, as plain numbers."""
        measures = buffers.measures[:, 0].tolist()
        values = (*measures[self._shown], *buffers.counts[:, 0].tolist(), buffers.masks[0])
        info = dict(zip(self._names, values, strict=True))
        return self.observation(buffers.observation[0]), measures[self.reward], info

    def _values(self, buffers: Buffers) -> tuple[Any, ...]:
        return (*buffers.measures[self._shown], *buffers.counts, buffers.masks)


def blank(infos: Mapping[str, Any], present: Flags) -> dict[str, Any]:
    """Return infos with zeros where a sub-environment is not present."""
    if present.all():
        return dict(infos)
    blanked = {}
    for key, value in infos.items():
        where = present.reshape((-1,) + (1,) * (value.ndim - 1))
        blanked[key] = np.where(where, value, np.zeros((), value.dtype))
    return blanked


def with_presence(infos: Mapping[str, Any], present: Flags) -> dict[str, Any]:
    """Return infos as Gymnasium's vector environments do: absent ones zero, and `_key` masks."""
    copies = np.repeat(present[np.newaxis], len(infos), axis=0)
    result: dict[str, Any] = {}
    for (key, value), copy in zip(blank(infos, present).items(), copies, strict=True):
        result[key], result[f"_{key}"] = value, copy
    return result
