"""What an agent is, how the catalogue lists one, and what agents have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Observation = Mapping[str, NDArray[np.float32]]
Seed = int | Sequence[int]
"""Of an agent: row i of a batch draws from seed + i; a sequence gives each row its own."""

# Keeps an agent's stream apart from the stream of the environment that has the same seed.
AGENT_STREAM = 0x6D6563
BLOCK_NUMBERS = 1 << 18


class Agent(Protocol):
    """Anything with Stable-Baselines3's `predict`: every baseline, and every trained model."""

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[Any], Any]:
        """Choose the actions of a batch of sub-environments.

        Args:
            observation: entries of shape (n, size), or (size,) for a single environment.
            state: what the previous call returned; None starts afresh.
            episode_start: (n,) booleans, true where a new episode begins.
            deterministic: whether a learned policy takes its mode instead of a sample.

        Returns:
            The flat actions, (n, size) or (size,), and the state for the next call.
        """
        ...


def everywhere(config: Any) -> bool:
    """Say yes: most agents act in every scenario, and differ from the others there."""
    return True


@dataclass(frozen=True)
class CatalogueEntry:
    """How to describe and build an agent."""

    description: str
    build: Callable[..., Agent]
    """Called with the configuration, the environment, the seed, and the options as keywords."""
    contender: bool = True
    """False for a reference that knows what no scheduler can know."""
    serves: Callable[[Any], bool] = everywhere
    """Whether the agent can act in a scenario, and is not another agent under a second name."""


def with_batch_axis(observation: Observation) -> tuple[Observation, bool]:
    """Give the entries of a single observation a leading axis; also tell whether it was single."""
    single = next(iter(observation.values())).ndim == 1
    if not single:
        return observation, False
    return {key: entry[np.newaxis] for key, entry in observation.items()}, True


def check_batch(known: int, batch: int) -> None:
    """Check that a state belongs to observations of this batch size.

    Raises:
        ValueError: it does not.
    """
    if known != batch:
        raise ValueError(f"the state has {known} rows, but the observation {batch}")


def starting_rows(episode_start: ArrayLike | None, batch: int) -> NDArray[np.bool_]:
    """Return the rows that start a new episode, (n,); none of them if it is not told."""
    starts = False if episode_start is None else episode_start
    return np.broadcast_to(np.asarray(starts, dtype=np.bool_), (batch,))


def row_seeds(seed: Seed, batch: int) -> list[int]:
    """Return one seed per row: `seed` + row for an integer, as the vector env counts them.

    Raises:
        ValueError: a sequence has another length than the batch.
    """
    if isinstance(seed, int):
        return [seed + row for row in range(batch)]
    if len(seed) != batch:
        raise ValueError(f"the agent has {len(seed)} seeds, but the batch has {batch} rows")
    return [int(value) for value in seed]


class UniformRows:
    """One stream of U[0, 1) numbers per row, each from its own generator, drawn in blocks.

    A row's stream depends on its seed alone, so that a sub-environment meets the same numbers
    whether it runs alone or within a batch.
    """

    def __init__(self, seeds: Sequence[int], width: int) -> None:
        self._generators = [np.random.default_rng([AGENT_STREAM, seed]) for seed in seeds]
        self._width = width
        self._block = max(1, min(256, BLOCK_NUMBERS // (len(seeds) * width)))
        self._numbers = np.empty((len(seeds), self._block, width))
        self._position = self._block

    def draw(self) -> NDArray[np.float64]:
        """Return the next numbers of every row, shape (n, width)."""
        if self._position == self._block:
            for row, generator in enumerate(self._generators):
                generator.random(out=self._numbers[row])
            self._position = 0
        self._position += 1
        return self._numbers[:, self._position - 1]
