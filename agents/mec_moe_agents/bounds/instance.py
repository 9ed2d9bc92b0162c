"""An episode of offloading as a problem of planning: what each task costs at each server.

Every subcarrier is taken as free here: a task travels over its best one, on which joules, slots
and the time for which the subcarrier is taken are all least at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_env import OffloadingConfig, OffloadingForesight, foresight
from mec_moe_env.config import reject
from mec_moe_env.core.buffers import Flags, Floats, Integers, Singles
from mec_moe_env.core.kernels import device, kernel
from mec_moe_env.offloading.pricing import (
    pick_joules,
    pick_slots,
    sending_seconds,
    training_seconds,
)
from mec_moe_env.offloading.sources import make_source
from mec_moe_env.offloading.state import NOBODY, NODE, TASK, Exogenous, Params, make_params


class Service(NamedTuple):
    """What it takes to serve a task at a server over a subcarrier."""

    joules: float
    """Of sending and training."""
    sending: int
    """Slots for which the subcarrier is taken, 0 in-situ."""
    slots: int
    """d: a server that takes the task in slot t is idle again in slot t + d."""


class Prices(NamedTuple):
    """What n tasks take at M servers, each over its best subcarrier."""

    joules: Floats
    """(n, M), of sending and training."""
    slots: Integers
    """(n, M), d: a server that takes the task in slot t is idle again in slot t + d."""
    subcarrier: Integers
    """(n, M), the best one; it is not used in-situ."""
    sending: Integers
    """(n, M), slots for which the subcarrier is taken, 0 in-situ."""
    served: Flags
    """(n, M), whether the server works until the task's end or the episode's: else it is lost."""


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
    slots, subcarrier, sending = np.empty((3, n, M), np.int64)
    served = np.empty((n, M), np.bool_)
    prices = Prices(np.empty((n, M)), slots, subcarrier, sending, served)
    write_prices(params, as_exogenous(future), future.working, prices)
    _, energy_weight, delay_weight = params.weights
    return Instance(
        params=params,
        slot=np.repeat(np.arange(T), U),
        # A place where no task came is as one of the first type that nobody can serve.
        types=np.maximum(future.types.reshape(n), 0),
        constant=future.constant.reshape(n),
        linear=future.linear.reshape(n, -1),
        features=future.features.reshape(n, *future.features.shape[2:]),
        labels=future.labels.reshape(n, -1),
        price=energy_weight * prices.joules + delay_weight * slots,
        **prices._asdict(),
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


@device
def service(params: Params, whole: Exogenous, i: int, m: int, s: int) -> Service:
    """Work out what task i takes at server m over subcarrier s; rows of `whole` are slots."""
    t, u = i // params.num_tasks, i % params.num_tasks
    seconds = sending_seconds(params, whole, t, u, m, s)
    joules = pick_joules(params, whole, t, m, seconds)
    in_situ = m == whole.tasks[t, u]["origin"]
    sending = 0 if in_situ else int(pick_slots(params, seconds))
    slots = int(pick_slots(params, seconds + training_seconds(params, whole, t, m)))
    return Service(joules, sending, slots)


@kernel
def write_prices(params: Params, whole: Exogenous, working: Flags, prices: Prices) -> None:
    """Write what each task takes at each server over its best subcarrier.

    A task that a server takes in slot t and trains for d slots is lost if the server fails in
    t + 1, …, min(t + d, T): see `pass_time` in `offloading/step.py`.
    """
    T, U, M = whole.spectral_efficiency.shape[:3]
    for i in range(T * U):
        t = i // U
        for m in range(M):
            best = most_efficient(whole.spectral_efficiency[t, i % U, m])
            taken = service(params, whole, i, m, best)
            prices.subcarrier[i, m], prices.joules[i, m] = best, taken.joules
            prices.sending[i, m], prices.slots[i, m] = taken.sending, taken.slots
            works = working[t, m] and whole.tasks[t, i % U]["type"] != NOBODY
            for later in range(t + 1, min(t + taken.slots, T) + 1):
                works = works and working[later, m]
            prices.served[i, m] = works


@device
def most_efficient(efficiencies: Singles) -> int:
    """Return the most efficient subcarrier, the first of equals."""
    best = 0
    for s in range(1, efficiencies.shape[0]):
        if efficiencies[s] > efficiencies[best]:
            best = s
    return best
