"""Direct search for the schedules that no other beats in both energy and loss."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping

from mec_moe_agents.importance.practice import Outcome

Schedule = tuple[float, ...]
Judge = Callable[[Schedule], Outcome]

GRID: Schedule = (0.0, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75, 0.95)
STEPS: Schedule = (0.1, 0.05, 0.025)
ROUNDS = 3
"""With each step length."""
SPACING = 0.03
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
    """Return the schedules that no cheaper one equals in loss, by rising energy.

    Of those within `SPACING` of each other in energy, the one of the least loss.
    """
    best: dict[int, Schedule] = {}
    for schedule, outcome in found.items():
        place = math.floor(math.log(max(outcome.joules, LEAST_JOULES)) / SPACING)
        if place not in best or outcome.loss < found[best[place]].loss:
            best[place] = schedule
    kept: list[Schedule] = []
    for schedule in sorted(best.values(), key=lambda each: found[each].joules):
        if not kept or found[schedule].loss < found[kept[-1]].loss:
            kept.append(schedule)
    return kept


def neighbours(schedule: Schedule, step: float) -> list[Schedule]:
    """Return the schedules in which one layer's importance differs by a step, within [0, 1]."""
    near = []
    for layer, change in itertools.product(range(len(schedule)), (-step, step)):
        moved = round(min(max(schedule[layer] + change, 0.0), 1.0), 6)
        near.append((*schedule[:layer], moved, *schedule[layer + 1 :]))
    return near
