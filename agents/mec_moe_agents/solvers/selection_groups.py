"""Small groups of experts by their total score: the last members of a long search by look-up.

When costs follow scores (e = t + c) no bound tells sets apart, and a search ends in millions of
leaves of which almost none lies in the narrow band between the threshold and what is still worth
its energy. A table of all groups of g experts, bucketed by total score, finds those few at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.solvers.selection_bound import Floats, Ints
from mec_moe_agents.solvers.selection_core import Core
from mec_moe_env.core.kernels import compiled

MOST_GROUPS = 300_000
LARGEST_GROUP = 5
# Bits of one member's position in a packed group; five fit into 63.
MEMBER_BITS = 12
# A few groups share a bucket, so that one memory line serves a look-up.
GROUPS_PER_BUCKET = 4
# More entries than this in a band, and branching is cheaper than looking.
MOST_LOOKED_AT = 128


class Groups(NamedTuple):
    """All groups of `size` positions with a useful total score.

    Attributes:
        start: (B + 1,) where each bucket's groups begin.
        total: (n,) total scores, in order of their buckets.
        members: (n,) positions, the first in the lowest bits.
        origin, scale: a total's bucket is (total − origin)·scale.
        size: members of a group; 0 stands for no table.
    """

    start: Ints
    total: Floats
    members: Ints
    origin: float
    scale: float
    size: int


@compiled
def no_groups() -> Groups:
    """Return the empty table."""
    return Groups(np.zeros(1, np.int64), np.empty(0), np.empty(0, np.int64), 0.0, 0.0, 0)


@compiled
def list_groups(core: Core, size: int, least_total: float, total: Floats, members: Ints) -> int:
    """Write every group of `size` positions whose score is at least `least_total`.

    Returns:
        How many there are, or one more than fit into `total`, when listing stops.
    """
    experts = core.score.shape[0]
    position = np.zeros(size + 1, np.int64)
    score = np.zeros(size + 1)
    packed = np.zeros(size + 1, np.int64)
    depth, count = 0, 0
    while depth >= 0:
        j, rest = position[depth], size - depth
        if j + rest > experts or score[depth] + core.reach[j + rest] - core.reach[j] < least_total:
            depth -= 1
            continue
        position[depth] = j + 1
        packed[depth + 1] = packed[depth] | (j << (MEMBER_BITS * depth))
        score[depth + 1] = score[depth] + core.score[j]
        if rest > 1:
            depth += 1
            position[depth] = j + 1
            continue
        if count == total.shape[0]:
            return count + 1
        total[count] = score[size]
        members[count] = packed[size]
        count += 1
    return count


@compiled
def build_groups(core: Core, threshold: float, most: int) -> Groups:
    """Tabulate the largest groups that fit into memory, for sets of at most `most` experts."""
    total = np.empty(MOST_GROUPS)
    members = np.empty(MOST_GROUPS, np.int64)
    experts = core.score.shape[0]
    size, count = 0, 0
    slack = 1e-9 * threshold
    if experts < (1 << MEMBER_BITS):
        for larger in range(2, min(LARGEST_GROUP, most, experts) + 1):
            before = core.reach[min(most - larger, experts)]
            listed = list_groups(core, larger, threshold - before - slack, total, members)
            if listed > MOST_GROUPS:
                break
            size, count = larger, listed
    if count == 0:
        return no_groups()
    origin = threshold - core.reach[min(most - size, experts)] - slack
    count = list_groups(core, size, origin, total, members)
    return bucket_groups(total[:count], members[:count], size)


@compiled
def bucket_groups(total: Floats, members: Ints, size: int) -> Groups:
    """Order groups by bucket: a counting sort, enough for finding a band of totals."""
    count = total.shape[0]
    buckets = count // GROUPS_PER_BUCKET + 1
    origin = total.min()
    scale = (buckets - 0.5) / max(total.max() - origin, 1e-300)
    start = np.zeros(buckets + 1, np.int64)
    for c in range(count):
        start[int((total[c] - origin) * scale) + 1] += 1
    for b in range(buckets):
        start[b + 1] += start[b]
    fill = start[:-1].copy()
    ordered_total = np.empty(count)
    ordered_members = np.empty(count, np.int64)
    for c in range(count):
        b = int((total[c] - origin) * scale)
        ordered_total[fill[b]] = total[c]
        ordered_members[fill[b]] = members[c]
        fill[b] += 1
    return Groups(start, ordered_total, ordered_members, origin, scale, size)


@compiled
def cheapest_group(
    energies: Floats, groups: Groups, first: int, low: float, high: float, allowed: float
) -> tuple[float, int, bool]:
    """Find the cheapest group from position `first` on with a total score in low..high.

    Returns:
        (energy, entry of the table or −1, whether all was looked at)
    """
    last = groups.start.shape[0] - 2
    low_bucket = max(0.0, (low - groups.origin) * groups.scale)
    high_bucket = min((high - groups.origin) * groups.scale, last + 0.5)
    if low_bucket > high_bucket:
        return allowed, -1, True
    begin, end = groups.start[int(low_bucket)], groups.start[int(high_bucket) + 1]
    if end - begin > MOST_LOOKED_AT:
        return allowed, -1, False
    found = -1
    mask = (1 << MEMBER_BITS) - 1
    for c in range(begin, end):
        if not low <= groups.total[c] <= high or (groups.members[c] & mask) < first:
            continue
        energy = 0.0
        for member in range(groups.size):
            energy += energies[(groups.members[c] >> (MEMBER_BITS * member)) & mask]
        if energy < allowed:
            allowed, found = energy, c
    return allowed, found, True
