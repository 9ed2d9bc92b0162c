"""Where nodes stand: a table in metres, or of latitudes and longitudes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from mec_moe_env.config import Real, reject
from mec_moe_env.core.buffers import Floats
from mec_moe_env.worlds.table import read_rows

EARTH_METRES = 6_371_008.8
"""Mean radius."""
METRES = Real(-1e9, 1e9)
LATITUDE, LONGITUDE = Real(-90, 90), Real(-180, 180)
DEGREES, PLANE = ("latitude", "longitude"), ("x", "y")


def read_positions(source: Any, count: int, field: str = "num_servers") -> Floats:
    """Return the positions of `count` nodes, (count, 2), metres.

    Args:
        source: a CSV file with columns `x` and `y` (metres), or `latitude` and `longitude`
            (degrees), as the sites of the public EUA dataset; other columns are ignored. Or the
            numbers, (n, 2), metres. Of more than `count` rows the first are taken.
        count: of the nodes.
        field: the configuration's name of `count`, for messages.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: there are fewer rows, or one is no position; the row is named.
    """
    if isinstance(source, str | Path):
        path = Path(source).expanduser()
        found, name = _read(path), str(path)
    else:
        found, name = _given(source), "positions"
    if len(found) < count:
        raise ValueError(
            f"{name} has {len(found)} rows, {field} = {count}: it must have at least as many rows"
        )
    return np.ascontiguousarray(found[:count])


def project(degrees: Floats) -> Floats:
    """Project latitudes and longitudes, (n, 2), to metres east and north of their middle, (n, 2).

    Equirectangular about the mean latitude: within a city distances are right to one in a
    thousand. Longitudes are taken the shorter way round.
    """
    latitude, longitude = np.deg2rad(degrees).T
    east = (longitude - longitude[:1] + math.pi) % (2.0 * math.pi) - math.pi
    middle = latitude.mean() if len(latitude) else 0.0
    plane = EARTH_METRES * np.stack([east * math.cos(middle), latitude - middle], axis=1)
    return plane - plane.mean(axis=0) if len(plane) else plane


def _read(path: Path) -> Floats:
    rows = read_rows(path, PLANE, DEGREES)
    plane = bool(rows) and set(PLANE) <= rows[0].cells.keys()
    columns, ranges = (PLANE, (METRES, METRES)) if plane else (DEGREES, (LATITUDE, LONGITUDE))
    numbers = [
        [row.number(name, allowed) for name, allowed in zip(columns, ranges, strict=True)]
        for row in rows
    ]
    found = np.array(numbers, np.float64).reshape(-1, 2)
    return found if plane else project(found)


def _given(source: Any) -> Floats:
    try:
        found = np.array(source, np.float64)
    except (TypeError, ValueError):
        raise reject("positions", source, "a CSV file, or numbers of shape (n, 2)") from None
    if found.ndim != 2 or found.shape[1] != 2:
        raise ValueError(
            f"positions has shape {found.shape}: it must be (n, 2), metres, or a CSV file"
        )
    # Written so that NaN fails too.
    wrong = ~((found >= METRES.low) & (found <= METRES.high))
    if wrong.any():
        place = tuple(int(axis[0]) for axis in np.nonzero(wrong))
        raise reject(f"positions{list(place)}", float(found[place]), METRES)
    return found
