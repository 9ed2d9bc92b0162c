"""Rectangular linear assignment by shortest augmenting paths, compiled.

Rows take their cheapest column while it is free; the others first outbid one another, as in
Jonker and Volgenant's row reduction, and only what is left searches an augmenting path, so the
work goes where the conflicts are. Costs are products weight·unit: no matrix is built.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.kernels import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


# Bidding ends after as many bids a row; paths finish what is left.
BIDS_PER_ROW = 8


class Matching(NamedTuple):
    """Scratch and result for up to R rows on S columns.

    Attributes:
        row_price, column_price: (R,), (S,) the dual prices.
        column: (R,) each row's column, −1 without one.
        row: (S,) each column's row, −1 while free.
        distance, parent, remaining: (S,) of the search for one path.
        visited: (R,) the rows of the last search.
        blocked: (R,) rows that compete for too few columns.
    """

    row_price: Floats
    column_price: Floats
    column: Ints
    row: Ints
    distance: Floats
    parent: Ints
    remaining: Ints
    visited: Ints
    blocked: NDArray[np.bool_]


@compiled
def new_matching(rows: int, columns: int) -> Matching:
    """Allocate a matching."""
    return Matching(
        np.empty(rows),
        np.empty(columns),
        np.empty(rows, np.int64),
        np.empty(columns, np.int64),
        np.empty(columns),
        np.empty(columns, np.int64),
        np.empty(columns, np.int64),
        np.empty(rows, np.int64),
        np.empty(rows, np.bool_),
    )


@compiled
def assign(unit: Floats, link: Ints, weight: Floats, rows: int, matching: Matching) -> int:
    """Match rows to distinct columns at the least Σ weight[r]·unit[link[r], column].

    An infinite unit cost rules a pair out. As many rows are matched as can be; the others keep
    column −1, and `blocked` marks the rows among which one must give way.

    Returns:
        The number of rows left without a column.
    """
    matching.column_price[:] = 0.0
    matching.row[:] = -1
    for r in range(rows):
        costs = unit[link[r]]
        cheapest, least = -1, np.inf
        for s in range(costs.shape[0]):
            if costs[s] < least:
                cheapest, least = s, costs[s]
        matching.row_price[r] = weight[r] * least if cheapest >= 0 else 0.0
        matching.blocked[r] = False
        matching.column[r] = -1
        if cheapest >= 0 and matching.row[cheapest] < 0:
            matching.row[cheapest] = r
            matching.column[r] = cheapest
    bids = BIDS_PER_ROW * rows
    for r in range(rows):
        bidder = r
        while bidder >= 0 and bids > 0 and matching.column[bidder] < 0:
            bids -= 1
            bidder = bid(unit[link[bidder]], weight[bidder], bidder, matching)
    unmatched = 0
    for r in range(rows):
        if matching.column[r] < 0 and not augment(unit, link, weight, r, matching):
            unmatched += 1
    return unmatched


@compiled
def bid(costs: Floats, scale: float, bidder: int, matching: Matching) -> int:
    """Let an unmatched row take its best column, at the price that its second best is worth.

    Returns:
        The row that lost the column, to bid next; −1 if none did or bidding makes no progress.
    """
    best, first, second = -1, np.inf, np.inf
    for s in range(costs.shape[0]):
        value = scale * costs[s] - matching.column_price[s]
        if value < second:
            if value < first:
                best, first, second = s, value, first
            else:
                second = value
    loser = matching.row[best] if best >= 0 else -1
    if best < 0 or second == np.inf or (loser >= 0 and first == second):
        return -1
    matching.column_price[best] -= second - first
    matching.row_price[bidder] = second
    matching.row[best] = bidder
    matching.column[bidder] = best
    if loser >= 0:
        matching.column[loser] = -1
    return loser


@compiled
def augment(unit: Floats, link: Ints, weight: Floats, start: int, matching: Matching) -> bool:
    """Give row `start` a column along the shortest augmenting path; False if there is none."""
    row_price, column_price = matching.row_price, matching.column_price
    column, row = matching.column, matching.row
    distance, parent, remaining = matching.distance, matching.parent, matching.remaining
    left = column_price.shape[0]
    for s in range(left):
        remaining[s] = s
        distance[s] = np.inf
    current, reached, length, sink = start, 0, 0.0, -1
    while sink < 0:
        matching.visited[reached] = current
        reached += 1
        costs, scale = unit[link[current]], weight[current]
        offset = length - row_price[current]
        nearest, least = -1, np.inf
        for c in range(left):
            s = remaining[c]
            through = offset + scale * costs[s] - column_price[s]
            if through < distance[s]:
                distance[s] = through
                parent[s] = current
            if distance[s] < least or (distance[s] == least and row[s] < 0 and nearest >= 0):
                nearest, least = c, distance[s]
        if nearest < 0:
            for v in range(reached):
                matching.blocked[matching.visited[v]] = True
            return False
        length = least
        s = remaining[nearest]
        left -= 1
        # Settled columns gather behind the remaining ones, for the price update below.
        remaining[nearest], remaining[left] = remaining[left], s
        if row[s] < 0:
            sink = s
        else:
            current = row[s]
    row_price[start] += length
    for c in range(left, column_price.shape[0]):
        s = remaining[c]
        if s != sink:
            row_price[row[s]] += length - distance[s]
            column_price[s] -= length - distance[s]
    while True:
        r = parent[sink]
        row[sink] = r
        column[r], sink = sink, column[r]
        if r == start:
            return True
