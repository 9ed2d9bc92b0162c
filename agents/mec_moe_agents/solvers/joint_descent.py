"""JESA's block coordinate descent, and the repair of plans with more links than subcarriers."""

from __future__ import annotations

import numpy as np

from mec_moe_agents.solvers.joint_plan import (
    Choice,
    Flags,
    Floats,
    Layer,
    Plan,
    assign_subcarriers,
    count_load,
    price_links,
    select_tokens,
)


def start_plan(layer: Layer) -> Plan:
    """Start with every link at its best subcarrier, then give each used link one of its own."""
    choice = select_tokens(layer, layer.best)
    while True:
        plan, blocked = assign_subcarriers(layer, choice)
        if plan is not None:
            return plan
        choice = close_one_link(layer, choice, blocked)


def close_one_link(layer: Layer, choice: Choice, blocked: Flags) -> Choice:
    """Close the link whose tokens are the cheapest to serve over the links that remain in use.

    Only links that compete for too few subcarriers come into question. The fewest tokens that are
    no longer served count first, then the energy at best subcarriers.
    """
    in_use = (count_load(layer, choice) > 0) | ~layer.remote
    trials: list[tuple[int, float, int, Choice]] = []
    for i, k in np.argwhere(blocked):
        price = np.where(in_use, layer.best, np.inf)
        price[i, k] = np.inf
        trial = reselect(layer, choice, price, int(i))
        missed = int(choice.served[i].sum()) - int(trial.served[i].sum())
        change = _joules(layer, trial, int(i)) - _joules(layer, choice, int(i))
        trials.append((missed, change, len(trials), trial))
    return min(trials)[3]


def reselect(layer: Layer, choice: Choice | Plan, price: Floats, i: int) -> Choice:
    """Select anew for source i only."""
    fresh = select_tokens(layer, price, slice(i, i + 1))
    selected, served = choice.selected.copy(), choice.served.copy()
    selected[i], served[i] = fresh.selected[0], fresh.served[0]
    return Choice(selected, served)


def descend(layer: Layer, plan: Plan, max_turns: int) -> tuple[Plan, list[float]]:
    """Alternate between selection and assignment while the plan gets better.

    Links in use are priced at their subcarrier, unused ones at their best free subcarrier. Two
    links may open on the same free subcarrier; the assignment settles that, and a turn whose
    outcome is not better is undone and ends the descent. So the trace never rises.

    Returns:
        The plan, and the joules after each turn that it kept, anew from where more tokens are
        served (which may cost energy, and comes first).
    """
    trace = [plan.joules]
    for _ in range(max_turns - 1):
        price = price_links(plan.subcarrier, layer.unit, layer.remote)
        trial, _ = assign_subcarriers(layer, select_tokens(layer, price))
        if trial is None or not trial.beats(plan):
            break
        trace = extend_trace(trace, plan, trial)
        plan = trial
    return plan, trace


def extend_trace(trace: list[float], plan: Plan, successor: Plan) -> list[float]:
    """Append the successor's joules, or start anew with them when it serves more tokens."""
    return [*(trace if successor.missed == plan.missed else []), successor.joules]


def _joules(layer: Layer, choice: Choice, i: int) -> float:
    """Sum source i's energy with every link at its best subcarrier."""
    cost = np.broadcast_to(layer.compute + layer.best[i], choice.selected[i].shape)
    return float(cost[choice.selected[i]].sum())
