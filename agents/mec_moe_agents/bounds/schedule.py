"""One server's best schedule against given values: weighted interval scheduling, compiled.

A server serves one task at a time, so the tasks that it serves are disjoint intervals
[t, t + d). With tasks in the order of their ends t + d and f[k] the most that can be had from the
first k of them,

    f[k + 1] = max(f[k], v_k + f[those that end by t_k]),  f[0] = 0,

is exact for any values v. Tasks of value 0 or less change nothing and are left out: as costs and
multipliers only lower a value, most never appear.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.bounds.instance import Instance
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import device, kernel


class Servers(NamedTuple):
    """What M servers gain by n tasks, server by server."""

    gain: Floats
    """(M, n), what is gained by serving a task with its least error f rather than rejecting it,
    w_err·(c − f) − w_energy·joules − w_delay·slots; −inf where the server fails before its end."""
    joules: Floats
    """(M, n), as the reward weighs them."""
    end: Integers
    """(M, n), t + d: from which slot on the server is idle again; above T: still in training."""
    order: Integers
    """(M, n), tasks in the order of their ends."""


class Programme(NamedTuple):
    """Tasks that one server may serve: room for n, and how many there are.

    Those that may be chosen among come first, in the order of their ends. Then comes ℓ, if it is
    named, and then those of which at most one is in training at T.
    """

    task: Integers
    """(n,)."""
    before: Integers
    """(n,), how many of the first tasks end by when this one begins."""
    sizes: Integers
    """(2,), how many come first, and how many there are."""
    ended: Integers
    """(T + 1,), how many of the first tasks end by each slot; only after `write_programme`."""
    kept: Integers
    """(n + 1,), scratch of `narrow_programme`."""


@kernel
def empty_programme(tasks: int, horizon: int) -> Programme:
    """Allocate room for n tasks in T slots."""
    return Programme(
        np.empty(tasks, np.int64),
        np.empty(tasks, np.int64),
        np.empty(2, np.int64),
        np.empty(horizon + 1, np.int64),
        np.empty(tasks + 1, np.int64),
    )


def make_servers(instance: Instance, floor: Floats) -> Servers:
    """Lay the prices of an episode out server by server; `floor`, (n,), is each least error."""
    saved = instance.params.weights[0] * (instance.constant - floor)
    gain = np.where(instance.served, saved[:, None] - instance.price, -np.inf).T.copy()
    joules = (instance.params.weights[1] * instance.joules).T.copy()
    end = (instance.slot[:, None] + instance.slots).T.copy()
    return Servers(gain, joules, end, np.argsort(end, axis=1, kind="stable"))


@device
def write_programme(
    instance: Instance, servers: Servers, values: Floats, m: int, last: int, out: Programme
) -> None:
    """List the tasks of positive value, (n,), that server m may serve if it completes ℓ last.

    With ℓ = −1 any schedule counts, and all come first.
    """
    T = instance.params.horizon
    latest = T + instance.params.max_delay if last < 0 else instance.slot[last]
    count, reached = 0, 0
    for position in range(values.shape[0]):
        i = servers.order[m, position]
        end = servers.end[m, i]
        if end > latest:
            break
        if values[i] > 0.0 and i != last:
            while reached < end and reached <= T:
                out.ended[reached] = count
                reached += 1
            out.task[count] = i
            count += 1
    while reached <= T:
        out.ended[reached] = count
        reached += 1
    for k in range(count):
        out.before[k] = out.ended[instance.slot[out.task[k]]]
    out.sizes[0] = count
    if last >= 0:
        out.task[count] = last
        count += 1
        # Positions at the end of the order: whatever is in training at T ends after T.
        for position in range(values.shape[0] - 1, -1, -1):
            i = servers.order[m, position]
            if servers.end[m, i] <= T:
                break
            if values[i] > 0.0 and instance.slot[i] >= servers.end[m, last]:
                out.task[count] = i
                count += 1
    out.sizes[1] = count


@device
def narrow_programme(values: Floats, out: Programme) -> None:
    """Take out the tasks whose value, (n,), is not positive; ℓ stays."""
    first, listed = out.sizes
    count = 0
    for k in range(first):
        out.kept[k] = count
        if values[out.task[k]] > 0.0:
            # Those before k are written already, and no later one is looked at.
            out.task[count], out.before[count] = out.task[k], out.kept[out.before[k]]
            count += 1
    out.sizes[0] = count
    for k in range(first, listed):
        if k == first or values[out.task[k]] > 0.0:
            out.task[count] = out.task[k]
            count += 1
    out.sizes[1] = count


@device
def fill(values: Floats, before: Integers, count: int, best: Floats) -> None:
    """Write f[0], …, f[count] to `best`."""
    best[0] = 0.0
    for k in range(count):
        best[k + 1] = max(best[k], values[k] + best[before[k]])


@device
def forced_value(whole: float, joules: float, experts: int) -> float:
    """Return the most that a server gains by its share 1/e, 1 ≤ e ≤ D, of a task it must serve.

    A share of the error, the delay and the multiplier, but all of the joules; linear in 1/e, so
    the largest value is at an end. `whole` is the value of all of it.
    """
    return max(whole, (whole + joules) / experts - joules)


@device
def schedule_value(
    values: Floats, before: Integers, first: int, joules: float, experts: int, best: Floats
) -> float:
    """Return the most that a programme is worth; `best`, (n + 1,), is written by `fill`.

    `values` and `before` are those of its tasks, of which `first` come first; `joules` are ℓ's.
    """
    fill(values, before, first, best)
    total: float = best[first]
    if first < values.shape[0]:
        total += forced_value(values[first], joules, experts)
        pending = 0.0
        for k in range(first + 1, values.shape[0]):
            pending = max(pending, values[k])
        total += pending
    return total


@device
def mark_schedule(
    values: Floats, before: Integers, first: int, best: Floats, chosen: Flags
) -> None:
    """Mark in `chosen` the tasks of a schedule of that value, `best` as `fill` left it."""
    for k in range(values.shape[0]):
        chosen[k] = False
    k = first
    while k > 0:
        if best[k] > best[k - 1]:
            chosen[k - 1] = True
            k = before[k - 1]
        else:
            k -= 1
    if first < values.shape[0]:
        chosen[first] = True
        pending = -1
        most = 0.0
        for k in range(first + 1, values.shape[0]):
            if values[k] > most:
                most, pending = values[k], k
        if pending >= 0:
            chosen[pending] = True
