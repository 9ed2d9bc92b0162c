"""One server's best schedule against given costs: weighted interval scheduling, compiled.

A server serves one task at a time, so the tasks that it serves are disjoint intervals
[t, t + d). With f[t] the most that can be had from slot t on,

    f[t] = max(f[t + 1], max over tasks of slot t of (v + f[min(t + d, T)])),  f[T] = 0,

is exact for any values v.
"""

from __future__ import annotations

import numpy as np

from mec_moe_agents.bounds.instance import Instance
from mec_moe_env.core.buffers import Flags, Floats
from mec_moe_env.core.kernels import device


@device
def task_value(instance: Instance, costs: Floats, multipliers: Floats, i: int, m: int) -> float:
    """Return what server m gains by task i over rejecting it, its multiplier paid; −inf if lost."""
    if not instance.served[i, m]:
        return -np.inf
    saved = instance.params.weights[0] * (instance.constant[i] - costs[i])
    value: float = saved - instance.price[i, m] - multipliers[i]
    return value


@device
def forced_value(instance: Instance, costs: Floats, multipliers: Floats, i: int, m: int) -> float:
    """Return the most that server m gains by its share 1/e, 1 ≤ e ≤ D, of a task it must serve.

    A share of the error, the delay and the multiplier, but all of the joules; linear in 1/e, so
    the largest value is at an end.
    """
    whole = task_value(instance, costs, multipliers, i, m)
    joules = instance.params.weights[1] * instance.joules[i, m]
    least = (whole + joules) / instance.params.max_experts - joules
    return float(max(whole, least))


@device
def fill(
    instance: Instance, costs: Floats, multipliers: Floats, m: int, end: int, best: Floats
) -> None:
    """Write f[0], …, f[end] to `best`, tasks that end after slot `end` left out.

    With `end` = T a task may still be in training at the end.
    """
    U = instance.params.num_tasks
    cut = end < instance.params.horizon
    best[end] = 0.0
    for t in range(end - 1, -1, -1):
        best[t] = best[t + 1]
        for i in range(t * U, (t + 1) * U):
            after = t + instance.slots[i, m]
            if after > end:
                if cut:
                    continue
                after = end
            value = task_value(instance, costs, multipliers, i, m) + best[after]
            best[t] = max(best[t], value)


@device
def read(
    instance: Instance,
    costs: Floats,
    multipliers: Floats,
    m: int,
    end: int,
    best: Floats,
    chosen: Flags,
) -> None:
    """Mark in `chosen` the tasks of a schedule of value f[0], `best` as `fill` left it."""
    U = instance.params.num_tasks
    t = 0
    while t < end:
        after = t + 1
        if best[t] > best[t + 1]:
            for i in range(t * U, (t + 1) * U):
                until = min(t + instance.slots[i, m], instance.params.horizon)
                if until > end:
                    continue
                value = task_value(instance, costs, multipliers, i, m) + best[until]
                if value == best[t]:
                    chosen[i] = True
                    after = until
                    break
        t = after


@device
def last_pending(instance: Instance, costs: Floats, multipliers: Floats, m: int, first: int) -> int:
    """Return the best task in training at T, taken in slot `first` or later; −1 if none gains."""
    U, T = instance.params.num_tasks, instance.params.horizon
    most, task = 0.0, -1
    for i in range(max(first, T - instance.params.max_delay) * U, T * U):
        if instance.slot[i] + instance.slots[i, m] > T:
            value = task_value(instance, costs, multipliers, i, m)
            if value > most:
                most, task = value, i
    return task


@device
def completes(instance: Instance, i: int, m: int) -> bool:
    """Return whether server m would complete task i within the episode."""
    if instance.slot[i] + instance.slots[i, m] > instance.params.horizon:
        return False
    served: bool = instance.served[i, m]
    return served


@device
def best_value(
    instance: Instance, costs: Floats, multipliers: Floats, m: int, last: int, best: Floats
) -> float:
    """Return the most that server m can gain if `last` is the last task that it completes.

    Before it come tasks that end by its slot, after it at most one that is in training at T.
    With `last` = −1 any schedule counts. `best`, (T + 1,), is written by `fill`.
    """
    if last < 0:
        fill(instance, costs, multipliers, m, instance.params.horizon, best)
        whole: float = best[0]
        return whole
    if not completes(instance, last, m):
        return -np.inf
    start = instance.slot[last]
    fill(instance, costs, multipliers, m, start, best)
    value: float = best[0] + forced_value(instance, costs, multipliers, last, m)
    after = start + instance.slots[last, m]
    pending = last_pending(instance, costs, multipliers, m, after)
    if pending >= 0:
        value += task_value(instance, costs, multipliers, pending, m)
    return value


@device
def best_schedule(
    instance: Instance,
    costs: Floats,
    multipliers: Floats,
    m: int,
    last: int,
    best: Floats,
    chosen: Flags,
) -> None:
    """Mark in `chosen`, (n,), the tasks of the schedule that `best_value` values."""
    end = instance.params.horizon if last < 0 else instance.slot[last]
    fill(instance, costs, multipliers, m, end, best)
    read(instance, costs, multipliers, m, end, best, chosen)
    if last >= 0:
        chosen[last] = True
        after = end + instance.slots[last, m]
        pending = last_pending(instance, costs, multipliers, m, after)
        if pending >= 0:
            chosen[pending] = True
