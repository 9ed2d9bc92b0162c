"""Which picks of an action the environment carries out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mec_moe_env import OffloadingConfig, Slot


def accepted_picks(
    slot: Slot, actions: NDArray[np.int64], config: OffloadingConfig
) -> NDArray[np.int64]:
    """Return the server that takes each pick, (n, U, D), M = none or dropped.

    The environment's own rule, on what is observed: a pick of a busy or failed server or of a
    busy subcarrier is dropped, of two picks of the same the earlier wins, and a task served
    where it arrived needs no subcarrier.

    Args:
        slot: the observations that the actions answer, n rows.
        actions: flat actions, (n, U·D·2).
        config: the environment's configuration.
    """
    U, D, _ = config.action_shape
    M, rows = config.num_servers, np.arange(slot.batch)
    servers, subcarriers = np.moveaxis(np.reshape(actions, (slot.batch, U, D, 2)), -1, 0)
    idle, free = slot.busy == 0, slot.subcarrier_busy == 0
    accepted = np.full((slot.batch, U, D), M)
    for u, j in np.ndindex(U, D):
        named = servers[:, u, j]
        server, subcarrier = np.minimum(named, M - 1), subcarriers[:, u, j]
        local = slot.origin[rows, u, server] > 0
        goes = (named < M) & idle[rows, server] & (local | free[rows, subcarrier])
        sends = goes & ~local
        accepted[goes, u, j] = server[goes]
        idle[rows[goes], server[goes]] = False
        free[rows[sends], subcarrier[sends]] = False
    return accepted
