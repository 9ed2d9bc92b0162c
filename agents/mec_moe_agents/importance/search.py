"""Direct search for the schedules that no other beats, in energy and loss or accuracy."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping

from mec_moe_agents.importance.practice import Outcome

Schedule = tuple[float, ...]
Judge = Callable[[Schedule], Outcome]

GRID: Schedule = (0.0, 0.15, 0.3, 0.45, 0.6, 0.9)
STEPS: Schedule = (0.1, 0.05, 0.025)
ROUNDS = 3
"""With each step length."""
SPACING = 0.05
"""Of schedules on the front, in relative energy."""
LEAST_JOULES = 1e-6


def search_front(
    layers: int, rough: Judge, fine: Judge, grid: Schedule = GRID, steps: Schedule = STEPS
) -> list[Schedule]:
    """Look for the front: all of a coarse grid, then the neighbours of the best, ever nearer.

    Args:
        layers: L.
        rough: judges the grid, |grid|^L schedules.
        fine: judges the rest.
        grid: importance values.
        steps: by which one layer's importance is changed at a time.
    """
    on_grid = {schedule: rough(schedule) for schedule in itertools.product(grid, repeat=layers)}
    found = {schedule: fine(schedule) for schedule in front(on_grid)}
    for step, _ in itertools.product(steps, range(ROUNDS)):
        near = {other for schedule in front(found) for other in neighbours(schedule, step)}
        found |= {schedule: fine(schedule) for schedule in sorted(near - found.keys())}
    return front(found)


def front(found: Mapping[Schedule, Outcome]) -> list[Schedule]:
    """Return the schedules that no cheaper one equals in loss or in accuracy, by rising energy.

    The two are not one: a surer classifier loses less, and is right no more often. Of schedules
    within `SPACING` of each other in energy, the best of either kind.
    """
    least_lossy = _leaders(found, lambda each: each.loss)
    most_accurate = _leaders(found, lambda each: -each.accuracy)
    return sorted(least_lossy | most_accurate, key=lambda each: found[each].joules)


def _leaders(
    found: Mapping[Schedule, Outcome], badness: Callable[[Outcome], float]
) -> set[Schedule]:
    best: dict[int, Schedule] = {}
    for schedule, outcome in found.items():
        place = math.floor(math.log(max(outcome.joules, LEAST_JOULES)) / SPACING)
        if place not in best or badness(outcome) < badness(found[best[place]]):
            best[place] = schedule
    kept: set[Schedule] = set()
    least = math.inf
    for schedule in sorted(best.values(), key=lambda each: found[each].joules):
        if badness(found[schedule]) < least:
            kept.add(schedule)
            least = badness(found[schedule])
    return kept


def neighbours(schedule: Schedule, step: float) -> list[Schedule]:
    """Return the schedules in which one layer's importance differs by a step, within [0, 1]."""
    near = []
    for layer, change in itertools.product(range(len(schedule)), (-step, step)):
        moved = round(min(max(schedule[layer] + change, 0.0), 1.0), 6)
        near.append((*schedule[:layer], moved, *schedule[layer + 1 :]))
    return near
