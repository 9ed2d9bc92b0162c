"""What a task takes where a server trains it: slots of the server and of a subcarrier, a price."""

from __future__ import annotations

from typing import NamedTuple

from mec_moe_agents.planning.problem import Problem
from mec_moe_env.core.kernels import device
from mec_moe_env.offloading.pricing import (
    pick_joules,
    pick_slots,
    sending_seconds,
    training_seconds,
)


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
    params, whole = problem.instance.params, problem.whole
    t, u = i // params.num_tasks, i % params.num_tasks
    seconds = sending_seconds(params, whole, t, u, m, s)
    sent = t
    if whole.tasks[t, u]["origin"] != m:
        sent = min(t + int(pick_slots(params, seconds)), params.horizon)
    joules = pick_joules(params, whole, t, m, seconds)
    delay = int(pick_slots(params, seconds + training_seconds(params, whole, t, m)))
    price = float(params.weights[1] * joules + params.weights[2] * delay)
    return Visit(i, m, s, t, sent, t + delay, price)


@device
def survives(problem: Problem, to: Visit) -> bool:
    """Return whether the server works until it has trained the task, or the episode's end."""
    ready = min(to.end, problem.instance.params.horizon)
    return bool(problem.working_until[to.start, to.server] > ready)
