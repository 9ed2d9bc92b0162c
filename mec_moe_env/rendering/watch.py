"""Keeps what a scene shows of a sub-environment and no state holds: what actions did, and sums.

Only sub-environments that somebody looks at are watched; the others' steps know nothing of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from mec_moe_env.config import Config
from mec_moe_env.core.buffers import Actions, Outcomes, Over
from mec_moe_env.core.simulator import RESET, STEP, Orders
from mec_moe_env.core.step_buffers import Buffers, BufferTable
from mec_moe_env.rendering.scene import Account


class Ledger:
    """Adds up what the steps of one sub-environment bring."""

    def __init__(self, config: Config, table: BufferTable, row: int, curve: str) -> None:
        """Open an empty ledger; `curve` is the info that makes the account's curve."""
        self._outcomes: Outcomes = config.outcomes
        self._weights = config.reward_weights.tolist()
        self._table, self._row, self._curve_of = table, row, curve
        self.open(since=0)

    def open(self, since: int) -> None:
        """Forget everything; count from step `since` on."""
        self._since, self._return, self._curve = since, 0.0, list[float]()
        self._totals = dict.fromkeys(self._outcomes.reward_terms, 0.0)
        self._reward, self._terms = 0.0, dict(self._totals)
        self._last = dict.fromkeys(self._table.numbers, 0.0)
        self._sums = dict(self._last)

    def add(self, buffers: Buffers) -> None:
        """Enter what a step has written."""
        infos = self._table.infos(buffers)
        self._last = {name: float(infos[name][self._row]) for name in self._last}
        for name, value in self._last.items():
            self._sums[name] += value
        self._reward = float(buffers.measures[self._table.reward, self._row])
        self._return += self._reward
        for term, weight in zip(self._outcomes.reward_terms, self._weights, strict=True):
            self._terms[term] = weight * self._last[f"reward_{term}"]
            self._totals[term] += self._terms[term]
        self._curve.append(self._last[self._curve_of])

    @property
    def account(self) -> Account:
        """What has been entered so far."""
        return Account(
            since=self._since,
            reward=self._reward,
            terms=dict(self._terms),
            episode_return=self._return,
            term_totals=dict(self._totals),
            last=dict(self._last),
            counts=self._outcomes.counts,
            total=self._over_episode(),
            curve=np.array(self._curve),
        )

    def _over_episode(self) -> Mapping[str, float]:
        steps = max(len(self._curve), 1)
        total = dict(self._sums)
        for name in set(self._outcomes.over_episode(Over.MEAN)) & total.keys():
            total[name] = self._sums[name] / steps
        for name in set(self._outcomes.over_episode(Over.LAST)) & total.keys():
            total[name] = self._last[name]
        return total


class Watcher(ABC):
    """Follows one sub-environment of a simulator."""

    def __init__(self, row: int, ledger: Ledger) -> None:
        self.row = row
        self.ledger = ledger

    def before(self, orders: Orders, actions: Actions) -> None:
        """Look at the action of a step that is about to be carried out."""
        if orders[self.row] == STEP:
            self._decide(actions[self.row])

    def after(self, orders: Orders, buffers: Buffers) -> None:
        """Look at what has become of it, or begin anew with an episode."""
        if orders[self.row] == STEP:
            self.ledger.add(buffers)
            self._settle()
        elif orders[self.row] == RESET:
            self.ledger.open(since=0)
            self._begin()

    @abstractmethod
    def scene(self) -> Any:
        """Return the scene of now."""

    @abstractmethod
    def _begin(self) -> None:
        """Forget the episode before."""

    @abstractmethod
    def _decide(self, action: Actions) -> None:
        """Find out what an action is going to do in the present slot."""

    @abstractmethod
    def _settle(self) -> None:
        """Take over what the step has left."""


def step_buffers(config: Config, num_envs: int = 1) -> Buffers:
    """Return room for what actions bring, without observations and masks."""
    outcomes = config.outcomes
    return Buffers(
        np.zeros((len(outcomes.measures), num_envs)),
        np.zeros((len(outcomes.counts), num_envs), np.int64),
        np.empty((num_envs, 0), np.float32),
        np.empty((num_envs, 0), np.bool_),
    )


def rows_of(arrays: Any, row: int, writable: tuple[str, ...] = ()) -> Any:
    """Return one sub-environment's part of a named tuple of arrays, their first axis kept.

    Fields named `writable` are copies, the others views.
    """
    parts = {name: array[row : row + 1] for name, array in arrays._asdict().items()}
    return arrays._replace(**parts | {name: parts[name].copy() for name in writable})
