"""What is recorded of a world as arrays that compiled code reads, and where an episode begins."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mec_moe_env.config import reject
from mec_moe_env.core.buffers import Floats, Singles
from mec_moe_env.core.kernels import device
from mec_moe_env.core.rng import SITES, Streams, mix, unit
from mec_moe_env.radio.config import RadioConfig
from mec_moe_env.worlds.arrivals import Arrivals, Limits, read_arrivals
from mec_moe_env.worlds.channel_trace import read_channel_trace
from mec_moe_env.worlds.positions import read_positions

NO_ARRIVALS = Arrivals(
    np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
)


class World(NamedTuple):
    """What is recorded; what is not has no rows, and is drawn as ever."""

    positions: Floats
    """(M, 2) or (0, 2), metres."""
    efficiency: Singles
    """(R, links, S), bit/s/Hz; see `read_channel_trace`."""
    arrivals: Arrivals
    begins: int
    """Rows at which an episode may begin: 0, …, begins − 1."""


class Size(NamedTuple):
    """What a scenario asks of a world."""

    origins: int
    """Nodes that send."""
    nodes: int
    nodes_field: str
    subcarriers: int
    slots: int
    """That an episode lives through."""


def make_world(config: RadioConfig, size: Size, limits: Limits | None = None) -> World | None:
    """Read what a configuration names of a world; None where it names nothing.

    Positions of nodes are moved so that the least coordinate of both is 0. Who has no arrivals of
    a table gives no `limits`.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: it does not fit the scenario; file, place and what is allowed are named.
    """
    table = getattr(config, "arrivals", None)
    if config.positions is None and config.channel_trace is None and table is None:
        return None
    positions = np.empty((0, 2))
    if config.positions is not None:
        positions = read_positions(config.positions, size.nodes, size.nodes_field)
        positions = positions - positions.min(axis=0)
    efficiency = np.empty((0, 0, 0), np.float32)
    if config.channel_trace is not None:
        efficiency = read_channel_trace(config.channel_trace, config, *_trace_size(size))
    arrivals = NO_ARRIVALS
    if table is not None and limits is not None:
        arrivals = read_arrivals(table, limits)
    recorded = [len(efficiency)] if len(efficiency) else []
    recorded += [arrivals.slots] if len(arrivals.starts) else []
    begins = 1
    if config.trace_start == "random" and recorded:
        begins = min(recorded) - size.slots + 1
    return World(positions, efficiency, arrivals, begins)


def extent(area_m: float, world: World | None) -> float:
    """Return the side of the square in which the nodes stand, metres."""
    if world is None or len(world.positions) == 0:
        return area_m
    # A single node, or all in one place, would leave nothing to draw.
    return float(world.positions.max()) or area_m


def refuse_world(config: RadioConfig, field: str, value: Any) -> None:
    """Refuse what is recorded where everything is fixed by hand.

    Raises:
        ValueError: a field of a recorded world is not None.
    """
    for name in config.recorded:
        if getattr(config, name) is not None:
            raise reject(name, getattr(config, name), f"None with {field} = {value!r}")


def _trace_size(size: Size) -> tuple[int, int, int, int]:
    return size.origins, size.nodes, size.subcarriers, size.slots


@device
def first_row(world: World, streams: Streams) -> int:
    """Return the row at which an episode begins; nothing is drawn, the key of its sites decides.

    `streams` are as they were before anything was drawn.
    """
    return int(unit(mix(streams[SITES])) * world.begins)


@device
def place_nodes(world: World | None, positions: Floats) -> None:
    """Write the recorded positions, (M, 2), if there are any."""
    if world is not None:
        for m in range(world.positions.shape[0]):
            positions[m, 0] = world.positions[m, 0]
            positions[m, 1] = world.positions[m, 1]


@device
def write_recorded(
    world: World, row: int, origin: int, in_situ: float, efficiency: Singles
) -> bool:
    """Write the recorded spectral efficiencies of a node's links, (M, S); tell if there are any.

    After the last row, which no action meets, the last one is shown once more.
    """
    rows, links, S = world.efficiency.shape
    if rows == 0:
        return False
    M = efficiency.shape[0]
    first = 0 if links == M else origin * M
    slot = world.efficiency[min(row, rows - 1)]
    for m in range(M):
        for s in range(S):
            efficiency[m, s] = in_situ if m == origin else slot[first + m, s]
    return True


@device
def arrival(world: World, row: int, u: int) -> int:
    """Return which recorded task is the u-th of a slot, −1 where fewer arrive."""
    starts = world.arrivals.starts
    slot = min(row, starts.shape[0] - 2)
    task: int = starts[slot] + u
    return task if task < starts[slot + 1] else -1
