"""The arrays that a compiled step writes, and the infos that they become."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]
Flags = NDArray[np.bool_]
Entries = dict[str, Singles]


@dataclass(frozen=True)
class Schema:
    """Names of what a step measures, in the order of the rows."""

    reward_terms: tuple[str, ...]
    scalars: tuple[str, ...]
    counts: tuple[str, ...]

    @property
    def measures(self) -> tuple[str, ...]:
        """All real-valued rows; the accuracy is shown only where there is a real model or data."""
        return ("reward", *self.reward_terms, *self.scalars, "accuracy")


class Rows(NamedTuple):
    """What the compiled step of n sub-environments writes."""

    measures: NDArray[np.float64]
    """`Schema.measures` by row, (…, n)."""
    counts: NDArray[np.int64]
    """`Schema.counts` by row, (…, n)."""
    observation: Singles
    """The entries one after the other, (n, sum of their sizes)."""
    masks: Flags
    """Flat action masks, (n, sum(nvec))."""


class Outcome(NamedTuple):
    """What a step of n sub-environments brought; all arrays lead with a batch axis."""

    observation: Entries
    """Entries of shape (n, size)."""
    rewards: NDArray[np.float64]
    infos: dict[str, Any]


class SingleOutcome(NamedTuple):
    """What a step of the only sub-environment brought."""

    observation: Entries
    """Entries of shape (size,)."""
    reward: float
    info: dict[str, Any]


class RowFactory:
    """Makes fresh rows for every step and names what was written to them."""

    def __init__(
        self,
        schema: Schema,
        shapes: Mapping[str, tuple[int, ...]],
        mask_size: int,
        num_envs: int,
        has_accuracy: bool,
    ) -> None:
        self._measures, self._counts = schema.measures, schema.counts
        self._terms = schema.reward_terms
        self._shown = schema.scalars + (("accuracy",) if has_accuracy else ())
        ends = np.cumsum([0] + [math.prod(shape) for shape in shapes.values()]).tolist()
        self._entries = [(key, slice(*ends[index : index + 2])) for index, key in enumerate(shapes)]
        self._observation_size = ends[-1]
        self._mask_size = mask_size
        self._num_envs = num_envs

    def empty(self) -> Rows:
        """Return rows of zeros, with room for the observation and the masks."""
        n = self._num_envs
        return Rows(
            np.zeros((len(self._measures), n)),
            np.zeros((len(self._counts), n), np.int64),
            np.empty((n, self._observation_size), np.float32),
            self.empty_masks(),
        )

    def empty_masks(self) -> Flags:
        """Return room for the masks."""
        return np.empty((self._num_envs, self._mask_size), np.bool_)

    def outcome(self, rows: Rows) -> Outcome:
        """Name what was written."""
        observation = {key: rows.observation[:, where] for key, where in self._entries}
        named = dict(zip(self._measures, rows.measures, strict=True))
        counts = dict(zip(self._counts, rows.counts, strict=True))
        return Outcome(observation, named["reward"], self._infos(named, counts, rows.masks))

    def single(self, rows: Rows) -> SingleOutcome:
        """Name what was written of the first sub-environment: plain numbers where scalar."""
        entries = rows.observation[0]
        observation = {key: entries[where] for key, where in self._entries}
        named = dict(zip(self._measures, rows.measures[:, 0].tolist(), strict=True))
        counts = dict(zip(self._counts, rows.counts[:, 0].tolist(), strict=True))
        return SingleOutcome(
            observation, named["reward"], self._infos(named, counts, rows.masks[0])
        )

    def _infos(
        self, named: Mapping[str, Any], counts: Mapping[str, Any], masks: Flags
    ) -> dict[str, Any]:
        infos: dict[str, Any] = {"reward_terms": {term: named[term] for term in self._terms}}
        for name in self._shown:
            infos[name] = named[name]
        infos.update(counts)
        infos["action_mask"] = masks
        return infos
