"""What a plan starts from: prices over the best links, the links themselves, prepared trainings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.bounds.instance import Instance, as_exogenous, make_instance
from mec_moe_env import OffloadingConfig, OffloadingForesight
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import device, kernel
from mec_moe_env.experts import factor, inner, solve_factored
from mec_moe_env.offloading.state import Exogenous
from mec_moe_env.pseudo_inverse import solve_least

MOST_CANDIDATES = 32


class Problem(NamedTuple):
    """n = T·U tasks, M servers, N types, C candidates."""

    instance: Instance
    whole: Exogenous
    """The episode; rows are slots."""
    working_until: Integers
    """(T + 1, M), the first slot from each on in which a server has failed; T + 1 if none."""
    factored: Floats
    """(n, k, k), Cholesky factors of the trainings' Gram matrices."""
    definite: Flags
    """(n,), whether a Gram matrix has such a factor."""
    candidates: Integers
    """(n, C), the servers where a task costs least joules and delay, cheapest first."""
    by_type: Integers
    """(n,), tasks sorted by type, then by arrival."""
    first: Integers
    """(N + 1,), where each type begins in `by_type`."""


def make_problem(config: OffloadingConfig, future: OffloadingForesight) -> Problem:
    """Prepare the episode that `future` shows."""
    instance = make_instance(config, 0, future)
    n, k, _ = instance.features.shape
    factored, definite = np.empty((n, k, k)), np.empty(n, np.bool_)
    write_factors(instance, factored, definite)
    unservable = np.where(instance.served, instance.price, np.inf)
    order = np.argsort(unservable, axis=1, kind="stable")
    counts = np.bincount(instance.types, minlength=config.num_types)
    return Problem(
        instance=instance,
        whole=as_exogenous(future),
        working_until=_working_until(future.working),
        factored=factored,
        definite=definite,
        candidates=np.ascontiguousarray(order[:, :MOST_CANDIDATES]),
        by_type=np.argsort(instance.types, kind="stable"),
        first=np.concatenate([[0], np.cumsum(counts)]),
    )


def _working_until(working: Flags) -> Integers:
    until = np.empty(working.shape, np.int64)
    following = np.full(working.shape[1], len(working))
    for t in range(len(working) - 1, -1, -1):
        following = np.where(working[t], following, t)
        until[t] = following
    return until


@kernel
def write_factors(instance: Instance, out: Floats, definite: Flags) -> None:
    """Write the factor of every task's Gram matrix XᵀX + κI (Li & Duan 2024, Lemma 1), if any."""
    for i in range(out.shape[0]):
        for p in range(out.shape[1]):
            for q in range(p + 1):
                out[i, p, q] = inner(instance.features[i, p], instance.features[i, q])
            out[i, p, p] += instance.params.proximal
        definite[i] = factor(out[i])


@device
def train_on(problem: Problem, i: int, model: Floats, work: Floats) -> None:
    """Train `model`, (d,), on task i as `experts.learn` does; `work` is (2k + 2, k)."""
    features = problem.instance.features[i]
    residual = work[features.shape[0]]
    for p in range(residual.shape[0]):
        residual[p] = problem.instance.labels[i, p] - inner(features[p], model)
    if problem.definite[i]:
        solve_factored(problem.factored[i], residual)
    else:
        solve_least(features, problem.instance.params.proximal, work)
    for p in range(residual.shape[0]):
        for f in range(model.shape[0]):
            model[f] += residual[p] * features[p, f]
