"""An episode of offloading as a problem of planning: what each task costs at each server.

Every subcarrier is taken as free here: a task travels over its best one, on which joules, slots
and the time for which the subcarrier is taken are all least at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_env import OffloadingConfig, OffloadingForesight, foresight
from mec_moe_env.config import reject
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import kernel
from mec_moe_env.offloading.pricing import (
    pick_joules,
    pick_slots,
    sending_seconds,
    training_seconds,
)
from mec_moe_env.offloading.sources import make_source
from mec_moe_env.offloading.state import NODE, TASK, Exogenous, Params, make_params


class Instance(NamedTuple):
    """An episode's n = T·U tasks, in the order of their arrival, and M servers."""

    params: Params
    """Constants of the scenario; `weights` are of error, energy and delay."""
    slot: Integers
    """(n,), when each task arrives."""
    types: Integers
    """(n,)."""
    constant: Floats
    """(n,), c, the zero model's error: what a task costs that nobody serves."""
    linear: Floats
    """(n, d), b: a model w has the error wᵀAw − 2bᵀw + c, A of the task's type."""
    features: Floats
    """(n, k, d), Xᵀ."""
    labels: Floats
    """(n, k), y."""
    joules: Floats
    """(n, M), of sending over the best subcarrier and training."""
    slots: Integers
    """(n, M), d: a server that takes the task in slot t is idle again in slot t + d."""
    subcarrier: Integers
    """(n, M), the best one; it is not used in-situ."""
    sending: Integers
    """(n, M), slots for which the subcarrier is taken, 0 in-situ."""
    served: Flags
    """(n, M), whether the server works until the task's end or the episode's: else it is lost."""
    price: Floats
    """(n, M), energy and delay as the reward weighs them."""

    @property
    def horizon(self) -> int:
        """T."""
        return self.params.horizon

    @property
    def rejection(self) -> float:
        """The return of rejecting every task, −w_err·Σc."""
        return -float(self.params.weights[0] * self.constant.sum())


def make_instance(
    config: OffloadingConfig, seed: int, future: OffloadingForesight | None = None
) -> Instance:
    """Price every task of the episode that `reset(seed=seed)` begins at every server.

    Args:
        config: any scenario of offloading.
        seed: of the episode.
        future: the episode, where it was foreseen already.

    Raises:
        ValueError: the seed is negative, the config does not fit its tasks, or its experts are not
            linear.
    """
    if config.experts != "linear":
        allowed = "'linear' for bounds and plans: they take errors for quadratic forms"
        raise reject("experts", config.experts, allowed)
    future = foresight(config, seed) if future is None else future
    source = make_source(config, 1)
    params = make_params(config, source.evaluator, source.sum_bound)
    T, U, M = future.spectral_efficiency.shape[:3]
    n = T * U
    joules = np.empty((n, M))
    slots, subcarrier, sending = np.empty((3, n, M), np.int64)
    served = np.empty((n, M), np.bool_)
    whole = as_exogenous(future)
    write_prices(params, whole, future.working, joules, slots, subcarrier, sending, served)
    _, energy_weight, delay_weight = params.weights
    return Instance(
        params=params,
        slot=np.repeat(np.arange(T), U),
        types=future.types.reshape(n),
        constant=future.constant.reshape(n),
        linear=future.linear.reshape(n, -1),
        features=future.features.reshape(n, *future.features.shape[2:]),
        labels=future.labels.reshape(n, -1),
        joules=joules,
        slots=slots,
        subcarrier=subcarrier,
        sending=sending,
        served=served,
        price=energy_weight * joules + delay_weight * slots,
    )


def as_exogenous(future: OffloadingForesight) -> Exogenous:
    """Lay the slots of an episode out as if each were a sub-environment, for compiled code."""
    T, U, M = future.spectral_efficiency.shape[:3]
    nodes, tasks = np.zeros((T, M), NODE), np.zeros((T, U), TASK)
    nodes["joules"], nodes["seconds"] = future.joules, future.seconds
    tasks["type"], tasks["origin"] = future.types, future.origin
    tasks["payload"], tasks["constant"] = future.payload, future.constant
    rest = future.features, future.labels, future.linear, future.spectral_efficiency
    return Exogenous(nodes, tasks, *rest)


@kernel
def write_prices(
    params: Params,
    whole: Exogenous,
    working: Flags,
    joules: Floats,
    slots: Integers,
    subcarrier: Integers,
    sending: Integers,
    served: Flags,
) -> None:
    """Write what each task, (n,), takes at each server, (M,), over its best subcarrier.

    Rows of `whole` are slots. A task that a server takes in slot t and trains for d slots is lost
    if the server fails in t + 1, …, min(t + d, T): see `pass_time` in `offloading/step.py`.
    """
    T, U, M, S = whole.spectral_efficiency.shape
    for t in range(T):
        for u in range(U):
            task = t * U + u
            for m in range(M):
                best = 0
                for s in range(1, S):
                    efficiency = whole.spectral_efficiency[t, u, m]
                    if efficiency[s] > efficiency[best]:
                        best = s
                seconds = sending_seconds(params, whole, t, u, m, best)
                joules[task, m] = pick_joules(params, whole, t, m, seconds)
                in_situ = m == whole.tasks[t, u]["origin"]
                sending[task, m] = 0 if in_situ else pick_slots(params, seconds)
                seconds += training_seconds(params, whole, t, m)
                slots[task, m] = pick_slots(params, seconds)
                subcarrier[task, m] = best
                served[task, m] = working[t, m]
                for later in range(t + 1, min(t + slots[task, m], T) + 1):
                    served[task, m] = served[task, m] and working[later, m]
