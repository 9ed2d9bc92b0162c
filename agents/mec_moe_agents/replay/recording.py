"""One or two agents in the same world, step by step, as columns of numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from mec_moe_agents.environments import DMOE, OFFLOADING, environment_of
from mec_moe_agents.evaluation.comparison import Listener
from mec_moe_agents.evaluation.rollout import check_evaluation_seeds
from mec_moe_agents.replay import dmoe, offloading
from mec_moe_agents.replay.columns import Array
from mec_moe_agents.replay.episode import Frame, Row, play
from mec_moe_env.config import Config, reject
from mec_moe_env.rendering.scene import Account

MOST_AGENTS = 2
MOST_CHANNEL_NUMBERS = 250_000
"""Beyond this the channel is left out, so that a page stays small: 0.33 MB of text."""

NO_TABLE = "None in a replay, whose columns hold U tasks in every slot"

Columns = Mapping[str, Array]


@dataclass(frozen=True)
class Keeper:
    """What an environment's replay keeps."""

    fixed: Callable[[Frame[Any]], Row]
    row: Callable[..., Row]
    decision: Sequence[str]


KEEPERS: Mapping[str, Keeper] = MappingProxyType(
    {
        OFFLOADING.name: Keeper(offloading.fixed_columns, offloading.row_of, offloading.DECISION),
        DMOE.name: Keeper(dmoe.fixed_columns, dmoe.row_of, dmoe.DECISION),
    }
)
"""By `Environment.name`."""


@dataclass(frozen=True, eq=False)
class Recording:
    """One episode of each agent, all with the same seed."""

    config: Config
    seed: int
    agents: Sequence[str]
    runs: Sequence[Columns]
    """For each agent, columns by name; their first axis are the steps, but for what is fixed."""

    @cached_property
    def shared(self) -> Columns:
        """The columns that are equal in all runs: the world, and what was decided alike."""
        first, *others = self.runs
        return {
            name: column
            for name, column in first.items()
            if all(np.array_equal(column, run[name], equal_nan=True) for run in others)
        }

    @property
    def own(self) -> Sequence[Columns]:
        """The other columns of each run."""
        shared = self.shared
        return [{name: run[name] for name in run if name not in shared} for run in self.runs]

    @property
    def differs(self) -> list[int]:
        """Steps in which the agents decided differently, or it turned out differently."""
        names = KEEPERS[environment_of(self.config).name].decision
        different = np.zeros(self.config.steps, np.bool_)
        for run in self.runs[1:]:
            for name in names:
                unequal = run[name] != self.runs[0][name]
                different |= unequal.reshape(len(different), -1).any(axis=1)
        return np.flatnonzero(different).tolist()


def record(
    config: Config,
    agents: Sequence[str],
    seed: int,
    listener: Listener | None = None,
    *,
    trust_zip: bool = False,
) -> Recording:
    """Let each agent play the same episode and keep what there is to see.

    Args:
        config: the scenario.
        agents: one or two names, which may be the same.
        seed: of the environment and of each agent.
        listener: told about the progress.
        trust_zip: whether a `model.zip` may be loaded, which runs code that is in it.

    Raises:
        ValueError: an agent is unknown, there are more than two, the seed is training's, or
            arrivals are recorded.
    """
    check_agents(agents)
    check_evaluation_seeds([seed])
    if getattr(config, "arrivals", None) is not None:
        raise reject("arrivals", config.files.get("arrivals", "a table"), NO_TABLE)
    told = listener or Listener()
    runs = []
    for agent in agents:
        begin = time.perf_counter()
        told.began(agent, config.steps)
        runs.append(_columns(config, _told(play(config, agent, seed, trust_zip=trust_zip), told)))
        told.finished(agent, time.perf_counter() - begin)
    return Recording(config, seed, tuple(agents), runs)


def check_agents(agents: Sequence[str]) -> None:
    """See that as many agents are named as fit side by side.

    Raises:
        ValueError: there are none, or too many.
    """
    if not 1 <= len(agents) <= MOST_AGENTS:
        raise ValueError(
            f"a replay shows one agent or two side by side, --agents names {len(agents)}: "
            f"{', '.join(agents) or 'nobody'}"
        )


def _told(frames: Iterable[Frame[Any]], listener: Listener) -> Iterator[Frame[Any]]:
    for frame in frames:
        yield frame
        listener.stepped(1)


def _columns(config: Config, frames: Iterable[Frame[Any]]) -> Columns:
    """Keep a row of each frame, and make columns of the rows."""
    keeper = KEEPERS[environment_of(config).name]
    numbers = config.steps * math.prod(config.observation_shapes["spectral_efficiency"])
    with_channel = numbers <= MOST_CHANNEL_NUMBERS
    fixed: Row = {}
    rows: list[Row] = []
    for frame in frames:
        fixed = fixed or keeper.fixed(frame)
        row = keeper.row(frame, config, with_channel=with_channel)
        rows.append(row | _numbers(frame.after.account))
    columns = {name: np.stack([np.asarray(row[name]) for row in rows]) for name in rows[0]}
    return columns | {name: np.asarray(value) for name, value in fixed.items()}


def _numbers(account: Account) -> Row:
    """Return what a step brought: the info's numbers, the reward with its weighted terms."""
    terms = {f"term_{name}": value for name, value in account.terms.items()}
    sums = {"reward": account.reward, "return": account.episode_return}
    return {**account.last, **terms, **sums}
