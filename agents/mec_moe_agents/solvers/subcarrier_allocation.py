"""Subcarriers for given traffic: one exclusive subcarrier per used link at the least energy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_agents.solvers.assignment import Floats, Ints, assign, new_matching
from mec_moe_agents.solvers.validation import nonnegative, spread
from mec_moe_env.core.kernels import compiled


@dataclass(frozen=True)
class SubcarrierAllocation:
    """One subcarrier per used link; leading axes as in the input.

    Attributes:
        subcarrier: (..., links) int, −1 for a link without bits, or one that nothing can serve.
        energy: (...,) joules of all transmissions; +inf if a used link could not be served.
    """

    subcarrier: NDArray[np.int64]
    energy: NDArray[np.float64]


def allocate_subcarriers(
    bits: ArrayLike, rate: ArrayLike, power: ArrayLike
) -> SubcarrierAllocation:
    """Give each link with bits its own subcarrier at the least total energy (Qin et al. 2025).

    A rectangular linear assignment of cost power·bits/rate, solved exactly. A rate of 0 is a
    subcarrier that a link cannot use; where no assignment serves every used link, as many as
    possible are served and the energy is +inf.

    Args:
        bits: to send over each link, (..., links), ≥ 0.
        rate: bit/s, (..., links, S), ≥ 0; +inf costs nothing.
        power: transmission power in watts, one number or one per batch entry, ≥ 0.

    Raises:
        ValueError: NaN, negative values, shapes that do not fit, or more used links than
            subcarriers.
    """
    rates = nonnegative("rate", rate, 2, infinite=True)
    loads = nonnegative("bits", bits, 1)
    if loads.shape[-1] != rates.shape[-2]:
        raise ValueError(f"bits has {loads.shape[-1]} links, rate {rates.shape[-2]}; must be equal")
    try:
        batch = np.broadcast_shapes(loads.shape[:-1], rates.shape[:-2])
    except ValueError:
        raise ValueError(f"bits has shape {loads.shape}, rate {rates.shape}: no fit") from None
    links, subcarriers = rates.shape[-2:]
    watts = spread("power", nonnegative("power", power), batch)
    loads = spread("bits", loads, (*batch, links)).reshape(math.prod(batch), links)
    used = int((loads > 0).sum(axis=1).max(initial=0))
    if used > subcarriers:
        raise ValueError(f"bits has {used} used links; rate offers only {subcarriers} subcarriers")
    subcarrier = np.full(loads.shape, -1, np.int64)
    energy = np.zeros(loads.shape[0])
    allocate_batch(
        loads,
        spread("rate", rates, (*batch, links, subcarriers)).reshape(len(loads), links, subcarriers),
        watts.reshape(-1),
        subcarrier,
        energy,
    )
    return SubcarrierAllocation(subcarrier.reshape(*batch, links), energy.reshape(batch))


@compiled
def allocate_batch(
    bits: Floats, rate: Floats, power: Floats, subcarrier: Ints, energy: Floats
) -> None:
    """Allocate for every entry of a flat batch."""
    links, subcarriers = rate.shape[1], rate.shape[2]
    matching = new_matching(links, subcarriers)
    link = np.empty(links, np.int64)
    weight = np.empty(links)
    unit = np.empty((links, subcarriers))
    for b in range(bits.shape[0]):
        rows = 0
        for i in range(links):
            if bits[b, i] > 0.0:
                link[rows] = i
                weight[rows] = bits[b, i]
                rows += 1
                unit[i] = 1.0 / rate[b, i]
        if assign(unit, link, weight, rows, matching) > 0:
            energy[b] = np.inf
        for r in range(rows):
            s = matching.column[r]
            subcarrier[b, link[r]] = s
            if s >= 0:
                energy[b] += power[b] * bits[b, link[r]] * unit[link[r], s]
