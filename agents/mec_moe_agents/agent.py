"""What an agent is, how the catalogue lists one, and what agents have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_env.config import Whole, check, plain

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


@dataclass(frozen=True)
class CatalogueEntry:
    """How to describe and build an agent."""

    description: str
    build: Callable[..., Agent]
    """Called with the configuration, the environment, the seed, and the options as keywords."""
    contender: bool = True
    """False for a reference, which shows what can be reached: it knows what no scheduler can, or
    solves the return itself."""
    serves: Callable[[Any], bool] = lambda config: True
    """Whether the agent can act in a scenario, and is not another agent under a second name; most
    agents do in every one."""
    takes: Sequence[Callable[..., Any]] = ()
    """Classes and functions whose parameters with defaults are the agent's options."""
    forwards: Callable[[Mapping[str, Any]], Callable[..., Any]] | None = None
    """From the options that are given to the class that the others go to."""
    origin: Mapping[str, str] = field(default_factory=dict)
    """Where an agent from outside the catalogue comes from: digests, versions."""
    training_runs: int = 0
    """Of an agent from outside: how many runs it was chosen from, 0 if nobody trained it."""


def with_batch_axis(observation: Observation) -> tuple[Observation, bool]:
    """Give the entries of a single observation a leading axis; also tell whether it was single."""
    single = next(iter(observation.values())).ndim == 1
    if not single:
        return observation, False
    return {key: entry[np.newaxis] for key, entry in observation.items()}, True


class AgentState(NamedTuple):
    """State of an agent over a batch of sub-environments."""

    batch: int
    memory: Any
    """What the agent keeps of each row, updated in place."""


class BatchAgent(Agent):
    """`predict` for agents that decide for a batch of rows and keep a memory of each."""

    @abstractmethod
    def start(self, batch: int) -> Any:
        """Return the memory of `batch` fresh episodes."""

    @abstractmethod
    def act(self, observation: Observation, memory: Any, deterministic: bool) -> NDArray[np.int64]:
        """Choose the actions, (n, …), from entries of shape (n, size)."""

    def restart(self, memory: Any, rows: NDArray[np.bool_]) -> None:
        """Begin new episodes where `rows` (n,) is true."""

    def predict(
        self,
        observation: Observation,
        state: AgentState | None = None,
        episode_start: ArrayLike | None = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[np.int64], AgentState]:
        """Choose the actions of a batch of steps, or of one, as described in `Agent.predict`.

        The state is updated in place. Exploration noise that is part of an algorithm stays,
        `deterministic` or not.

        Raises:
            ValueError: the state belongs to another batch size, or an entry has a wrong size.
        """
        batched, single = with_batch_axis(observation)
        batch = len(next(iter(batched.values())))
        if state is None:
            state = AgentState(batch, self.start(batch))
        else:
            if state.batch != batch:
                raise ValueError(f"the state has {state.batch} rows, but the observation {batch}")
            if episode_start is not None and np.any(episode_start):
                starts = np.broadcast_to(np.asarray(episode_start, np.bool_), (batch,))
                self.restart(state.memory, starts)
        flat = self.act(batched, state.memory, deterministic).reshape(batch, -1)
        return (flat[0] if single else flat), state


def row_seeds(seed: Seed, batch: int) -> list[int]:
    """Return one seed per row: `seed` + row for an integer, as the vector env counts them.

    Raises:
        ValueError: a sequence has another length than the batch, or a seed is no integer ≥ 0.
    """
    given = plain(seed)
    several = isinstance(given, Iterable)
    seeds = list(given) if several else [given]
    for value in seeds:
        check("seed", value, Whole(0))
    if not several:
        return [int(given) + row for row in range(batch)]
    if len(seeds) != batch:
        raise ValueError(f"the agent has {len(seeds)} seeds, but the batch has {batch} rows")
    return list(map(int, seeds))


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
