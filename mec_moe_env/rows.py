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

REWARD = 0
"""Row of the reward among the measures."""


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
        shown = schema.scalars + (("accuracy",) if has_accuracy else ())
        self._row_counts = len(schema.measures), len(schema.counts)
        self._terms = slice(1, 1 + len(schema.reward_terms))
        self._scalars = slice(self._terms.stop, self._terms.stop + len(shown))
        self._term_names = schema.reward_terms
        self._names = ("reward_terms", *shown, *schema.counts, "action_mask")
        self._term_keys = _with_mask_keys(self._term_names)
        self._keys = _with_mask_keys(self._names)
        ends = np.cumsum([0] + [math.prod(shape) for shape in shapes.values()]).tolist()
        self._entries = [(key, slice(*ends[index : index + 2])) for index, key in enumerate(shapes)]
        self._observation_size = ends[-1]
        self._mask_size = mask_size
        self._num_envs = num_envs
        self._everywhere = np.ones((len(self._names) + len(self._term_names), num_envs), np.bool_)

    def empty(self) -> Rows:
        """Return rows of zeros, with room for the observation and the masks."""
        measures, counts = self._row_counts
        n = self._num_envs
        return Rows(
            np.zeros((measures, n)),
            np.zeros((counts, n), np.int64),
            np.empty((n, self._observation_size), np.float32),
            self.empty_masks(),
        )

    def empty_masks(self) -> Flags:
        """Return room for the masks."""
        return np.empty((self._num_envs, self._mask_size), np.bool_)

    def observation(self, rows: Rows) -> Entries:
        """Name the entries of the observations, of shape (n, size)."""
        written = rows.observation
        return {key: written[:, where] for key, where in self._entries}

    def observation_of(self, written: Singles) -> Entries:
        """Name the entries of one sub-environment's observation, of shape (size,)."""
        return {key: written[where] for key, where in self._entries}

    def infos(self, rows: Rows) -> dict[str, Any]:
        """Name what a step measured; all arrays lead with a batch axis."""
        measures = list(rows.measures)
        terms = dict(zip(self._term_names, measures[self._terms], strict=True))
        values = (terms, *measures[self._scalars], *rows.counts, rows.masks)
        return dict(zip(self._names, values, strict=True))

    def infos_of_all(self, rows: Rows) -> dict[str, Any]:
        """Name the same with Gymnasium's `_key` masks: every sub-environment reports.

        Between steps other code empties the caches, so that every call made here costs a
        multiple of what it does alone: hence all masks at once.
        """
        measures = list(rows.measures)
        masks = list(self._everywhere.copy())
        named, shown = len(self._term_names), measures[self._scalars]
        terms = dict(zip(self._term_keys, measures[self._terms] + masks[:named], strict=True))
        values = (terms, *shown, *rows.counts, rows.masks, *masks[named:])
        return dict(zip(self._keys, values, strict=True))

    def single(self, rows: Rows) -> SingleOutcome:
        """Name what was written of the first sub-environment: plain numbers where scalar."""
        measures = rows.measures[:, 0].tolist()
        terms = dict(zip(self._term_names, measures[self._terms], strict=True))
        values = (terms, *measures[self._scalars], *rows.counts[:, 0].tolist(), rows.masks[0])
        info = dict(zip(self._names, values, strict=True))
        return SingleOutcome(self.observation_of(rows.observation[0]), measures[REWARD], info)


def _with_mask_keys(names: tuple[str, ...]) -> tuple[str, ...]:
    return names + tuple(f"_{name}" for name in names)
