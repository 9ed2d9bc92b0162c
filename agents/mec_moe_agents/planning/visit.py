"""What a task takes where a server trains it: slots of the server and of a subcarrier, a price."""

from __future__ import annotations

from typing import NamedTuple

from mec_moe_agents.bounds.instance import service
from mec_moe_agents.planning.problem import Problem
from mec_moe_env.core.kernels import device


class Visit(NamedTuple):
    """Task i at server m over subcarrier s, whether it can be made or not."""

    task: int
    server: int
    subcarrier: int
    start: int
    """The slot in which the task arrives."""
    sent: int
    """The slot in which the subcarrier is free again, T at most; `start` in-situ."""
    end: int
    """The slot in which the server is idle again."""
    price: float
    """Energy and delay as the reward weighs them."""


@device
def visit(problem: Problem, i: int, m: int, s: int) -> Visit:
    """Work out what task i takes at server m over subcarrier s."""
    params = problem.instance.params
    start, taken = problem.instance.slot[i], service(params, problem.whole, i, m, s)
    price = float(params.weights[1] * taken.joules + params.weights[2] * taken.slots)
    sent = min(start + taken.sending, params.horizon)
    return Visit(i, m, s, start, sent, start + taken.slots, price)


@device
def survives(problem: Problem, to: Visit) -> bool:
    """Return whether the server works until it has trained the task, or the episode's end."""
    ready = min(to.end, problem.instance.params.horizon)
    return bool(problem.working_until[to.start, to.server] > ready)
