"""The arrays that a compiled step writes, and the infos that they become."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.simulation import Flags, Outcome


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
    observation: Any
    """The environment's tuple of flat entries, each (n, size)."""
    masks: Flags
    """Flat action masks, (n, sum(nvec))."""


class RowFactory:
    """Makes fresh rows for every step and turns them into its outcome."""

    def __init__(
        self,
        schema: Schema,
        observation_type: Any,
        shapes: Mapping[str, tuple[int, ...]],
        mask_size: int,
        num_envs: int,
        has_accuracy: bool,
    ) -> None:
        self._schema = schema
        self._observation_type = observation_type
        self._sizes = [math.prod(shapes[key]) for key in observation_type._fields]
        self._mask_size = mask_size
        self._num_envs = num_envs
        self._has_accuracy = has_accuracy

    def empty(self) -> Rows:
        """Return rows of zeros, with room for the observation and the masks."""
        n, schema = self._num_envs, self._schema
        entries = [np.empty((n, size), np.float32) for size in self._sizes]
        return Rows(
            np.zeros((len(schema.measures), n)),
            np.zeros((len(schema.counts), n), np.int64),
            self._observation_type(*entries),
            self.empty_masks(),
        )

    def empty_masks(self) -> Flags:
        """Return room for the masks."""
        return np.empty((self._num_envs, self._mask_size), np.bool_)

    def outcome(self, rows: Rows) -> Outcome:
        """Name what was written."""
        schema = self._schema
        named = dict(zip(schema.measures, rows.measures, strict=True))
        infos: dict[str, Any] = {
            "reward_terms": {term: named[term] for term in schema.reward_terms}
        }
        infos |= {name: named[name] for name in schema.scalars}
        if self._has_accuracy:
            infos["accuracy"] = named["accuracy"]
        infos |= dict(zip(schema.counts, rows.counts, strict=True))
        infos["action_mask"] = rows.masks
        return Outcome(rows.observation._asdict(), named["reward"], infos)
