"""Plan an episode of offloading whose whole future is known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.planning.anneal import (
    COLDEST,
    HOTTEST,
    anneal,
    copy_board,
    fill_board,
    value_servers,
)
from mec_moe_agents.planning.board import Board, empty_board
from mec_moe_agents.planning.changes import DRAWS
from mec_moe_agents.planning.problem import Problem, make_problem
from mec_moe_agents.planning.specialists import assign_specialists
from mec_moe_env import OffloadingConfig, OffloadingForesight
from mec_moe_env.config import Whole, reject
from mec_moe_env.core.buffers import Floats, Integers

EFFORT = 500
"""Changes tried for each task: seconds an episode."""
BLOCK = 50_000
SEED = 0x706C616E


class Plan(NamedTuple):
    """What to do in every slot of an episode, and what comes of it."""

    actions: Integers
    """(T, U, D, 2), server and subcarrier of each pick; only the first of D is used."""
    value: float
    """The undiscounted return of playing it."""


def plan(
    config: OffloadingConfig,
    future: OffloadingForesight,
    *,
    effort: int = EFFORT,
) -> Plan:
    """Plan the episode that `future` shows; the same arguments give the same plan.

    Our extension: specialists, then simulated annealing on the true return. Each task is served
    by one server at most, over the best subcarrier that is free.

    Args:
        config: the scenario.
        future: `mec_moe_env.foresight(config, seed)` of the whole episode.
        effort: changes that annealing tries for each task.

    Raises:
        ValueError: `effort` is negative, or the config does not fit its tasks.
    """
    if not Whole(0).admits(effort):
        raise reject("effort", effort, "an integer ≥ 0")
    problem = make_problem(config, future)
    rng = np.random.default_rng(SEED)
    board = empty_board(problem)
    fill_board(problem, board, assign_specialists(problem))
    value_servers(problem, board)
    chosen = _anneal(problem, board, rng, effort * len(problem.by_type))
    replayed = empty_board(problem)
    copy_board(problem, replayed, chosen)
    value_servers(problem, replayed)
    return Plan(
        _as_actions(config, chosen), problem.instance.rejection - float(replayed.cost.sum())
    )


def _anneal(problem: Problem, board: Board, rng: np.random.Generator, changes: int) -> Integers:
    chosen = np.stack([board.server, board.subcarrier])
    cost = float(board.cost.sum())
    scale = float(problem.instance.params.weights[0] * problem.instance.constant.mean())
    heats = scale * np.geomspace(HOTTEST, COLDEST, max(changes, 1))[:changes]
    met = np.empty_like(chosen)
    for start in range(0, changes, BLOCK):
        temperatures: Floats = heats[start : start + BLOCK]
        lowest = anneal(problem, board, rng.random((len(temperatures), DRAWS)), temperatures, met)
        if lowest < cost:
            cost, chosen = lowest, met.copy()
    return chosen


def _as_actions(config: OffloadingConfig, chosen: Integers) -> Integers:
    """Write servers and subcarriers of the tasks, (2, T·U), as actions."""
    actions = np.zeros((config.horizon, *config.action_shape), np.int64)
    actions[..., 0] = config.num_servers
    served = chosen[0].reshape(config.horizon, config.num_tasks) >= 0
    actions[:, :, 0][served] = chosen.T.reshape(config.horizon, config.num_tasks, 2)[served]
    return actions
