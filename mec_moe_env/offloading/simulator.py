"""A batch of offloading sub-environments: what the scalar and the vector environment share."""

from __future__ import annotations

from typing import Any

import numpy as np

from mec_moe_env.observation import box_space
from mec_moe_env.offloading.clairvoyance import write_error_increments, write_model_errors
from mec_moe_env.offloading.dynamics import COUNTS, MEASURES, REWARD_TERMS, SCALARS, advance
from mec_moe_env.offloading.exogenous import RandomWorld, WorldSource
from mec_moe_env.offloading.perception import (
    empty_observation,
    observation_bounds,
    observe,
    write_masks,
)
from mec_moe_env.offloading.state import (
    Integers,
    clear_state,
    empty_state,
    empty_world,
    make_physics,
)
from mec_moe_env.offloading.toy import ToyWorld
from mec_moe_env.scenarios import OffloadingConfig
from mec_moe_env.simulation import Actions, Entries, Flags, Outcome, Slices
from mec_moe_env.tasks.stream import Floats, Judge, TaskStream
from mec_moe_env.tasks.synthetic import SyntheticTasks


def make_stream(config: OffloadingConfig) -> TaskStream:
    """Build the task stream that a config names, or check the one that it carries.

    Raises:
        TypeError: `tasks` is neither a name nor a TaskStream.
        ValueError: the config does not fit the stream.
        FileNotFoundError: the stream's data are missing.
        ImportError: the stream needs an extra that is not installed.
    """
    if config.tasks == "synthetic":
        return SyntheticTasks(config)
    if config.tasks == "digits":
        from mec_moe_env.tasks.digits import digit_tasks

        return digit_tasks(config)
    if config.tasks == "mnist":
        from mec_moe_env.tasks.mnist import mnist_tasks

        return mnist_tasks(config)
    if not isinstance(config.tasks, TaskStream):
        raise TypeError(f"tasks must be a name or a TaskStream, got {config.tasks!r}")
    return config.tasks


class OffloadingSimulator:
    """State, exogenous world and random generators of `num_envs` sub-environments."""

    def __init__(self, config: OffloadingConfig, num_envs: int, num_threads: int = 1) -> None:
        self._slices = Slices(num_envs, num_threads)
        self.config = config
        self.num_envs = num_envs
        judge, self._source, self._sum_bound = _make_world(config)
        self._physics = make_physics(config, judge)
        self.state = empty_state(config, num_envs)
        self.world = empty_world(config, num_envs, self._source.block)
        self._has_accuracy = judge.heldout_labels.shape[1] > 0
        self._generators: list[Any] = [None] * num_envs
        self._episodes: list[Any] = [None] * num_envs
        self.nvec = [config.num_servers + 1, config.num_subcarriers] * self._picks
        self.observation_space = box_space(
            config.observation_shapes, observation_bounds(config, self._sum_bound)
        )

    @property
    def finished(self) -> Flags:
        """Whether each sub-environment is at its horizon, (n,)."""
        return self.state.time >= self.config.horizon

    def start(self, index: int, generator: np.random.Generator) -> None:
        """Begin an episode of one sub-environment, driven by `generator` from now on."""
        clear_state(self.state, index)
        self._generators[index] = generator
        self._episodes[index] = self._source.start_episode(generator, self.world, index)
        self._fill(index)

    def advance(self, actions: Actions, active: Flags) -> Outcome:
        """Advance the active sub-environments by one slot."""
        measures, counts = self._empty_rows()

        def work(first: int, last: int) -> None:
            advance(
                self._physics,
                self.state,
                self.world,
                actions,
                active,
                first,
                last,
                measures,
                counts,
            )
            exhausted = np.flatnonzero(self.world.cursor[first:last] == self._source.block)
            for index in exhausted.tolist():
                self._fill(first + index)

        self._slices.run(work)
        return self._outcome(measures, counts)

    def idle(self) -> Outcome:
        """Return the outcome of a reset: zeros, and the masks of now."""
        return self._outcome(*self._empty_rows())

    def observe(self) -> Entries:
        """Return fresh observations, entries of shape (n, size)."""
        out = empty_observation(self.config, self.num_envs)
        self._slices.run(
            lambda first, last: observe(
                self._physics, self.state, self.world, self._sum_bound, first, last, out
            )
        )
        return out._asdict()

    def masks(self) -> Flags:
        """Return the flat action masks, (n, U·D·(M + 1 + S))."""
        out = np.empty((self.num_envs, sum(self.nvec)), np.bool_)
        write_masks(self._physics, self.state, self.world, 0, self.num_envs, out)
        return out

    def model_errors(self) -> Floats:
        """Return the true error of every server's model on the waiting tasks, (n, U, M)."""
        out = self._per_server()
        write_model_errors(self._physics, self.state, self.world, out)
        return out

    def error_increments(self) -> Floats:
        """Return the growth of E once server m has learned task u, (n, U, M); inf while busy."""
        out = self._per_server()
        write_error_increments(self._physics, self.state, self.world, out)
        return out

    def rejection_errors(self) -> Floats:
        """Return the zero model's error on the waiting tasks, (n, U)."""
        rows = np.arange(self.num_envs)
        errors: Floats = self.world.constant[rows, self.world.cursor]
        return errors

    @property
    def _picks(self) -> int:
        return self.config.num_tasks * self.config.max_experts

    def _per_server(self) -> Floats:
        return np.empty((self.num_envs, self.config.num_tasks, self.config.num_servers))

    def _empty_rows(self) -> tuple[Floats, Integers]:
        n = self.num_envs
        return np.zeros((len(MEASURES), n)), np.zeros((len(COUNTS), n), np.int64)

    def _outcome(self, measures: Floats, counts: Integers) -> Outcome:
        rows = dict(zip(MEASURES, measures, strict=True))
        infos: dict[str, Any] = {"reward_terms": {term: rows[term] for term in REWARD_TERMS}}
        infos |= {name: rows[name] for name in SCALARS}
        if self._has_accuracy:
            infos["accuracy"] = rows["accuracy"]
        infos |= dict(zip(COUNTS, counts, strict=True))
        infos["action_mask"] = self.masks()
        return Outcome(rows["reward"], infos)

    def _fill(self, index: int) -> None:
        self._source.fill(self._generators[index], self._episodes[index], self.world, index)
        self.world.cursor[index] = 0


def _make_world(config: OffloadingConfig) -> tuple[Judge, WorldSource, float]:
    if config.tasks == "toy":
        toy = ToyWorld(config)
        return toy.judge, toy, toy.sum_bound
    stream = make_stream(config)
    return stream.judge, RandomWorld(config, stream), float(stream.sum_bound)
