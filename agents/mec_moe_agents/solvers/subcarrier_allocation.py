"""Subcarriers for given traffic: one exclusive subcarrier per used link at the least energy.

A rectangular linear assignment by shortest augmenting paths. Links take their cheapest subcarrier
while it is free; the others first outbid one another, as in Jonker and Volgenant's row reduction,
and only what is left searches an augmenting path, so the work goes where the conflicts are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_agents.solvers.inputs import checked, common_batch, spread
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import device, lean_kernel

# Bidding ends after as many bids a link; paths finish what is left.
BIDS_PER_LINK = 8


@dataclass(frozen=True)
class SubcarrierAllocation:
    """One subcarrier per used link; leading axes as in the input."""

    subcarrier: NDArray[np.int64]
    """(..., links), −1 for a link without bits, or one that nothing can serve."""
    energy: NDArray[np.float64]
    """(...,) joules of all transmissions; +inf if a used link could not be served."""


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
    rates = checked("rate", rate, 2, infinite=True)
    loads = checked("bits", bits, 1)
    if loads.shape[-1] != rates.shape[-2]:
        raise ValueError(f"bits has {loads.shape[-1]} links, rate {rates.shape[-2]}; must be equal")
    batch = common_batch("bits", loads, 1, "rate", rates, 2)
    links, subcarriers = rates.shape[-2:]
    watts = spread("power", checked("power", power), batch)
    loads = spread("bits", loads, (*batch, links)).reshape(math.prod(batch), links)
    rates = spread("rate", rates, (*batch, links, subcarriers)).reshape(*loads.shape, subcarriers)
    counts = (loads > 0).sum(axis=1)
    most = int(counts.max(initial=0))
    if most > subcarriers:
        raise ValueError(f"bits has {most} used links; rate offers only {subcarriers} subcarriers")
    used = np.flatnonzero(loads)
    unit = rates.reshape(loads.size, subcarriers)[used]
    with np.errstate(divide="ignore"):
        np.divide(1.0, unit, out=unit)
    found = match_links(loads.reshape(-1)[used], unit, counts, watts.reshape(-1))
    subcarrier = np.full(loads.size, -1, np.int64)
    subcarrier[used] = found.subcarrier
    return SubcarrierAllocation(subcarrier.reshape(*batch, links), found.energy.reshape(batch))


class Matched(NamedTuple):
    """The outcome of `match_links`."""

    subcarrier: Integers  # (R,), −1 for a link that found none
    energy: Floats  # (B,), +inf where a link found none
    blocked: Flags  # (R,), the links among which one must give way


def match_links(weight: Floats, unit: Floats, counts: Integers, power: Floats) -> Matched:
    """Match links to subcarriers at the least Σ weight·unit, each batch entry apart.

    The links of all entries stand one after another: weights (R,), > 0, and costs per weight
    (R, S), +inf for a pair ruled out. Each of B entries has a count of links, and a power that
    scales its energy, not the costs.
    """
    links, width = len(weight), max(unit.shape)
    matched = Matched(np.empty(links, np.int64), np.empty(len(counts)), np.empty(links, np.bool_))
    numbers, integers = np.empty((3, width)), np.empty((4, width), np.int64)
    match_batch(weight, unit, counts, power, *matched, numbers, integers)
    return matched


class Matching(NamedTuple):
    """R links with subcarriers, and the scratch for matching them; S subcarriers."""

    weight: Floats  # (R,)
    unit: Floats  # (R, S)
    subcarrier: Integers  # (R,), −1 without one
    blocked: Flags  # (R,)
    link_price: Floats  # (≥ R,), dual
    visited: Integers  # (≥ R,), the links of the last search
    link: Integers  # (≥ S,), −1 while free
    parent: Integers  # (≥ S,), of the search for one path
    remaining: Integers  # (≥ S,), likewise
    price: Floats  # (S,), dual
    distance: Floats  # (≥ S,), of the search for one path


@lean_kernel
def match_batch(
    weight: Floats,
    unit: Floats,
    counts: Integers,
    power: Floats,
    subcarrier: Integers,
    energy: Floats,
    blocked: Flags,
    numbers: Floats,
    integers: Integers,
) -> None:
    """Match the links of every batch entry; the last two are scratch, (3, ·) and (4, ·)."""
    end, subcarriers = 0, unit.shape[1]
    for b in range(energy.shape[0]):
        start, end = end, end + counts[b]
        match(
            Matching(
                weight[start:end],
                unit[start:end],
                subcarrier[start:end],
                blocked[start:end],
                numbers[0],
                integers[0],
                integers[1],
                integers[2],
                integers[3],
                numbers[1, :subcarriers],
                numbers[2],
            )
        )
        energy[b] = 0.0
        for r in range(start, end):
            if subcarrier[r] < 0:
                energy[b] = np.inf
            else:
                energy[b] += power[b] * weight[r] * unit[r, subcarrier[r]]


@device
def match(m: Matching) -> None:
    """Match as many links as can be, the others keep −1 and mark who is blocked."""
    links, subcarriers = m.unit.shape
    for s in range(subcarriers):
        m.price[s] = 0.0
        m.link[s] = -1
    for r in range(links):
        cheapest, least = -1, np.inf
        for s in range(subcarriers):
            if m.unit[r, s] < least:
                cheapest, least = s, m.unit[r, s]
        m.link_price[r] = m.weight[r] * least if cheapest >= 0 else 0.0
        m.blocked[r] = False
        m.subcarrier[r] = -1
        if cheapest >= 0 and m.link[cheapest] < 0:
            m.link[cheapest] = r
            m.subcarrier[r] = cheapest
    bids = BIDS_PER_LINK * links
    for r in range(links):
        bidder = r
        while bidder >= 0 and bids > 0 and m.subcarrier[bidder] < 0:
            bids -= 1
            bidder = bid(m, bidder)
    for r in range(links):
        if m.subcarrier[r] < 0:
            augment(m, r)


@device
def bid(m: Matching, bidder: int) -> int:
    """Let an unmatched link take its best subcarrier, at the price that its second best is worth.

    Returns:
        The link that lost the subcarrier, to bid next; −1 if none did or bidding makes no progress.
    """
    best, first, second = -1, np.inf, np.inf
    for s in range(m.price.shape[0]):
        value = m.weight[bidder] * m.unit[bidder, s] - m.price[s]
        if value < second:
            if value < first:
                best, first, second = s, value, first
            else:
                second = value
    loser = m.link[best] if best >= 0 else -1
    if best < 0 or second == np.inf or (loser >= 0 and first == second):
        return -1
    m.price[best] -= second - first
    m.link_price[bidder] = second
    m.link[best] = bidder
    m.subcarrier[bidder] = best
    if loser >= 0:
        m.subcarrier[loser] = -1
    return loser


@device
def augment(m: Matching, start: int) -> None:
    """Give a link a subcarrier along the shortest augmenting path, or mark who blocks it."""
    left = m.price.shape[0]
    for s in range(left):
        m.remaining[s] = s
        m.distance[s] = np.inf
    current, reached, length, sink = start, 0, 0.0, -1
    while sink < 0:
        m.visited[reached] = current
        reached += 1
        nearest = nearest_subcarrier(m, current, left, length - m.link_price[current])
        if nearest < 0:
            for v in range(reached):
                m.blocked[m.visited[v]] = True
            return
        s = m.remaining[nearest]
        length = m.distance[s]
        left -= 1
        # Settled subcarriers gather behind the remaining ones, for the price update below.
        m.remaining[nearest], m.remaining[left] = m.remaining[left], s
        if m.link[s] < 0:
            sink = s
        else:
            current = m.link[s]
    m.link_price[start] += length
    for c in range(left, m.price.shape[0]):
        s = m.remaining[c]
        if s != sink:
            m.link_price[m.link[s]] += length - m.distance[s]
            m.price[s] -= length - m.distance[s]
    current = -1
    while current != start:  # hand the subcarriers on, from the end of the path to its beginning
        current = m.parent[sink]
        m.link[sink] = current
        m.subcarrier[current], sink = sink, m.subcarrier[current]


@device
def nearest_subcarrier(m: Matching, current: int, left: int, offset: float) -> int:
    """Extend the distances over a link; return where in `remaining` the nearest lies, or −1."""
    nearest, least = -1, np.inf
    for c in range(left):
        s = m.remaining[c]
        through = offset + m.weight[current] * m.unit[current, s] - m.price[s]
        if through < m.distance[s]:
            m.distance[s] = through
            m.parent[s] = current
        distance = m.distance[s]
        if distance < least or (distance == least and m.link[s] < 0 and nearest >= 0):
            nearest, least = c, distance
    return nearest
