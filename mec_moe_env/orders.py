"""What one compiled call does with each sub-environment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.kernels import inlined, lean

IGNORE, LOOK, STEP, START = range(4)
"""Leave it alone; observe it; carry out its action and observe; begin an episode and observe."""

Integers = NDArray[np.int64]
Orders = NDArray[np.int8]
"""One for each sub-environment, (n,)."""
NOTHING_DUE = -1


@lean
def write_due_rows(orders: Orders, cursor: Integers, block: int, out: Integers) -> None:
    """Write `due_row` of every sub-environment; all arrays are (n,)."""
    for i in range(orders.shape[0]):
        out[i] = due_row(orders[i], cursor[i], block)


@inlined
def due_row(order: int, cursor: int, block: int) -> int:
    """Return the first row of the block of slots that is to be drawn first, −1 if there is none.

    The world holds two blocks: an episode begins with the first, and where the present slot is
    the last of its block the next one is written over the one before.
    """
    if order == START:
        return 0
    following = cursor + 1
    if order == STEP and following % block == 0:
        return following % (2 * block)
    return NOTHING_DUE
