"""Deliberately broken records of a world, each of which a check must catch and explain."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mec_moe_env.core.buffers import Floats
from mec_moe_env.files import replacing, write_arrays
from mec_moe_env.offloading.config import OffloadingConfig

SIZES = OffloadingConfig(num_tasks=2, num_servers=3, num_subcarriers=2, horizon=4)
COLUMNS = ["slot", "type", "origin", "payload"]
ARRIVALS = [[0, 1, 2, 0.5], [0, 0, 0, 0.3], [2, 3, 1, 1.0], [3, 2, 2, 0.2]]
SITES = [[-37.8136, 144.9631], [-37.8150, 144.9700], [-37.8200, 144.9550]]

Write = Callable[[Path], OffloadingConfig]


class BrokenWorld(NamedTuple):
    """A specimen, the checks that must fail, no others, and words that must explain it."""

    name: str
    write: Write
    """Writes its files into a folder and returns the configuration that names them."""
    fails: tuple[str, ...]
    says: tuple[str, ...]


def sound_world(folder: Path) -> OffloadingConfig:
    """Write a world without a fault into a folder, and return the configuration that names it."""
    sites, trace, arrivals = folder / "sites.csv", folder / "trace.npz", folder / "arrivals.csv"
    _write_table(
        sites, ["SITE_ID", "LATITUDE", "LONGITUDE"], [[i, *s] for i, s in enumerate(SITES)]
    )
    write_arrays(trace, {"spectral_efficiency": efficiencies()})
    _write_table(arrivals, COLUMNS, ARRIVALS)
    return SIZES.override(positions=sites, channel_trace=trace, arrivals=arrivals)


def efficiencies() -> Floats:
    """Return spectral efficiencies of all links, (T, M·M, S), all different."""
    shape = SIZES.horizon, SIZES.num_servers**2, SIZES.num_subcarriers
    return np.linspace(0.5, 9.5, int(np.prod(shape))).reshape(shape)


def broken_worlds() -> list[BrokenWorld]:
    """Return the specimens."""
    return [
        BrokenWorld("nothing", lambda folder: SIZES, ("something_is_recorded",), ("positions",)),
        *map(_unfit, _TABLES),
        *map(_unfit_trace, _TRACES),
        BrokenWorld(
            "gains_in_milliwatts",
            lambda folder: _with_trace(folder, "gain", 1e3 * np.ones_like(efficiencies())),
            ("channel_is_within_the_codes",),
            ("100% of the links", "max_spectral_efficiency", "units"),
        ),
    ]


_TABLES: tuple[tuple[str, str, list[str], list[list[Any]], tuple[str, ...]], ...] = (
    ("no_such_type", "arrivals", COLUMNS, [[0, 4, 0, 0.5]], ("row 2", "type = '4'", "[0, 3]")),
    ("no_such_origin", "arrivals", COLUMNS, [[0, 0, 3, 0.5]], ("row 2", "origin = '3'", "[0, 2]")),
    ("half_a_slot", "arrivals", COLUMNS, [[0.5, 0, 0, 0.5]], ("row 2", "slot = '0.5'")),
    ("payload_in_bits", "arrivals", COLUMNS, [[0, 0, 0, 5e5]], ("row 2", "payload = '500000.0'")),
    ("missing_payload", "arrivals", COLUMNS, [[0, 0, 0, ""]], ("row 2", "payload = ''")),
    ("no_number", "arrivals", COLUMNS, [[0, "nan", 0, 0.5]], ("row 2", "type = 'nan'")),
    ("crowd", "arrivals", COLUMNS, [[1, 0, 0, 0.5]] * 3, ("row 4", "num_tasks = 2")),
    ("short_table", "arrivals", COLUMNS, [[0, 0, 0, 0.5]], ("last slot is 0", "up to 3")),
    ("no_origins", "arrivals", ["slot", "type", "payload"], [[0, 0, 1]], ("expected the columns",)),
    ("short_row", "arrivals", COLUMNS, [[0, 0, 0]], ("row 2", "3 cells under 4 columns")),
    ("few_sites", "positions", ["x", "y"], [[0, 0], [1, 1]], ("has 2 rows", "num_servers = 3")),
    ("no_latitude", "positions", ["x"], [[0]], ("expected the columns", "latitude")),
    (
        "swapped_degrees",
        "positions",
        ["LATITUDE", "LONGITUDE"],
        [[east, north] for north, east in SITES],
        ("row 2", "latitude = '144.9631'", "[-90, 90]"),
    ),
    (
        "site_without_place",
        "positions",
        ["x", "y"],
        [[0, 0], [1, "nan"], [2, 2]],
        ("row 3", "y = 'nan'"),
    ),
)
"""Name, field, columns and rows of a CSV file, and what must be said."""


def _spoilt(place: tuple[int, int, int], value: float) -> Floats:
    array = efficiencies()
    array[place] = value
    return array


_TRACES: tuple[tuple[str, str, Any, tuple[str, ...]], ...] = (
    ("lost_link", "gain", lambda: efficiencies()[:, :-1], ("shape (4, 8, 2)", "links = 9 or 3")),
    ("lost_band", "rate", lambda: efficiencies()[..., :1], ("shape (4, 9, 1)", "subcarriers = 2")),
    ("flat", "rate", lambda: efficiencies()[0], ("shape (9, 2)", "slots")),
    ("short_trace", "rate", lambda: efficiencies()[:3], ("has 3 slots", "needs 4")),
    ("gap", "rate", lambda: _spoilt((2, 1, 0), np.nan), ("rate[2, 1, 0]", "nan", "finite")),
    ("decibels", "gain", lambda: -100.0 + efficiencies(), ("gain[0, 1, 0]", "linear")),
    ("endless", "gain_db", lambda: _spoilt((0, 5, 1), np.inf), ("gain_db[0, 5, 1]", "inf")),
    ("no_gain", "snr", efficiencies, ("expected one of the arrays gain", "none of them")),
    ("words", "gain", lambda: np.full((4, 9, 2), "far"), ("dtype", "real")),
)
"""Name, array of an .npz file and its numbers, and what must be said."""


def _unfit(row: tuple[str, str, list[str], list[list[Any]], tuple[str, ...]]) -> BrokenWorld:
    name, field, columns, rows, says = row

    def write(folder: Path) -> OffloadingConfig:
        path = folder / f"{field}.csv"
        _write_table(path, columns, rows)
        return SIZES.override(**{field: path})

    return BrokenWorld(name, write, ("data_fit",), (f"{field}.csv", *says))


def _unfit_trace(row: tuple[str, str, Any, tuple[str, ...]]) -> BrokenWorld:
    name, array, numbers, says = row
    return BrokenWorld(
        name,
        lambda folder: _with_trace(folder, array, numbers()),
        ("data_fit",),
        ("trace.npz", *says),
    )


def _with_trace(folder: Path, name: str, array: Any) -> OffloadingConfig:
    path = folder / "trace.npz"
    write_arrays(path, {name: array})
    return SIZES.override(channel_trace=path)


def _write_table(path: Path, columns: list[str], rows: list[list[Any]]) -> None:
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(rows)
