"""How threads share the sub-environments of one compiled call, without Python's lock.

Every thread has a region of its own and claims a few sub-environments of it at a time; one that
is done helps the others. The claims of a call are an array of their own: a thread that arrives
when everything is taken finds nothing, however late it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from mec_moe_env.core.kernels import inlined, lean

Words = NDArray[np.int64]
_item_pointer: Any = cgutils.get_item_pointer
NEXT, END, SIZE, DONE, CALL, PATIENCE = range(6)
"""Columns of the claims: next to be claimed, end of the region, how many at a time, how many are
done; number of the call, and looks at the bell that a helper takes."""
WORDS_OF_CACHE_LINE = 8
CLAIMS_PER_REGION = 32
ALL = 1 << 62
"""More claims than there are."""


class Crew(NamedTuple):
    """What the threads of a call share."""

    claims: Words
    """A row for each thread's region, (threads, 8)."""
    bell: Words
    """Number of the latest call that has begun, (1, 1); the same array in all calls."""


def make_claims(num_envs: int, num_threads: int, patience: int) -> Words:
    """Return the claims of a call, nothing claimed yet: regions of equal size."""
    claims = np.zeros((num_threads, WORDS_OF_CACHE_LINE), np.int64)
    bounds = np.linspace(0, num_envs, num_threads + 1).astype(np.int64)
    claims[:, NEXT], claims[:, END] = bounds[:-1], bounds[1:]
    parts = CLAIMS_PER_REGION if num_threads > 1 else 1
    claims[:, SIZE] = -(-(bounds[1:] - bounds[:-1]) // parts)
    claims[:, PATIENCE] = patience
    return claims


def _fetch_add(typing_context: Any, words: Any, row: Any, column: Any, amount: Any) -> Any:
    def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: Any) -> Any:
        array_type = signature.args[0]
        array = context.make_array(array_type)(context, builder, values[0])
        entry = _item_pointer(context, builder, array_type, array, values[1:3])
        return builder.atomic_rmw("add", entry, values[3], "acq_rel")

    return types.int64(words, types.intp, types.intp, types.int64), generate


fetch_add = cast("Callable[[Words, int, int, int], int]", intrinsic(_fetch_add))
"""Adds an amount to the entry at a row and a column in one indivisible step; what it was."""


@inlined
def ring(crew: Crew, thread: int) -> None:
    """Let the caller's thread tell helpers that linger of this call."""
    if thread == 0:
        fetch_add(crew.bell, 0, 0, crew.claims[0, CALL] - crew.bell[0, 0])


@inlined
def claim(crew: Crew, thread: int) -> tuple[int, int]:
    """Return the sub-environments first, last + 1 to work on next; (0, 0) when all are taken."""
    claims = crew.claims
    regions = claims.shape[0]
    for turn in range(regions):
        region = (thread + turn) % regions
        size, end = claims[region, SIZE], claims[region, END]
        first = fetch_add(claims, region, NEXT, size)
        if first < end:
            return first, min(first + size, end)
    return 0, 0


@inlined
def mark_done(crew: Crew, thread: int, count: int) -> None:
    """Count sub-environments whose results are written."""
    fetch_add(crew.claims, thread, DONE, count)


@inlined
def linger(crew: Crew, thread: int) -> None:
    """Let a helper wait a moment for the next call.

    A thread that sleeps takes some 50 µs to wake up, and one that asks for Python's lock while the
    caller holds it sleeps: this one does neither before the next call has begun.
    """
    if thread > 0:
        for _ in range(crew.claims[thread, PATIENCE]):
            if fetch_add(crew.bell, 0, 0, 0) > crew.claims[0, CALL]:
                return


@lean
def all_done(claims: Words, num_envs: int, patience: int) -> bool:
    """Return whether the results of all are written, after looking up to `patience` times."""
    for _ in range(patience):
        done = 0
        for region in range(claims.shape[0]):
            done += fetch_add(claims, region, DONE, 0)
        if done == num_envs:
            return True
    return False
