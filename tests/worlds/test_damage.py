"""What is wrong with a file of a world: named with its place, in few words, never half read."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mec_moe_env import OffloadingEnv
from mec_moe_env.core.buffers import Floats
from mec_moe_env.worlds import read_positions
from tests.worlds.recorded import SIZES, efficiencies, write_arrivals, write_positions, write_trace

HEADER = "slot,type,origin,payload\n"
LAST = "5,,,\n"


def test_a_trace_of_half_precision_is_that_of_its_numbers(tmp_path: Path) -> None:
    """With warnings as errors: comparing in half precision would overflow."""
    half = efficiencies().astype(np.float16)
    seen = []
    for array in (half, half.astype(np.float64)):
        trace = write_trace(tmp_path, spectral_efficiency=array)
        seen.append(OffloadingEnv(**SIZES, channel_trace=trace).reset(seed=0)[0])
    np.testing.assert_equal(seen[0], seen[1])


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("value", [math.inf, math.nan, -1.0])
def test_a_bad_number_of_a_trace_is_named(kind: type, value: float, tmp_path: Path) -> None:
    gain: Any = np.ones(efficiencies().shape, kind)
    gain[2, 1, 0] = value
    trace = write_trace(tmp_path, gain=gain)
    with pytest.raises(ValueError, match=r"gain\[2, 1, 0\] .* = -?(inf|nan|1.0) is not allowed"):
        OffloadingEnv(**SIZES, channel_trace=trace)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("slot,slot,type,origin,payload\n5,5,,,\n", "the column slot stands 2 times"),
        ("Slot,type,origin,payload, slot\n5,,,,5\n", "the column slot stands 2 times"),
        (HEADER + "0_1,0,0,0.5\n" + LAST, "row 2: slot = '0_1' is not allowed"),
        (HEADER + "0,0,0_1,0.5\n" + LAST, "row 2: origin = '0_1' is not allowed"),
        (HEADER + "0,1e0,0,0.5\n" + LAST, "row 2: type = '1e0' is not allowed"),
        (HEADER + "0,٣,0,0.5\n" + LAST, "row 2: type = '٣' is not allowed"),
        (HEADER + "0,1.5,0,0.5\n" + LAST, "row 2: type = '1.5' is not allowed"),
        (HEADER + "0,0,0,0_0.5\n" + LAST, "row 2: payload = '0_0.5' is not allowed"),
    ],
)
def test_a_table_that_could_be_misread_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        OffloadingEnv(**SIZES, arrivals=write_arrivals(tmp_path, text))


def test_integers_may_look_like_numbers(tmp_path: Path) -> None:
    """As of a spreadsheet, or of an array in which payloads stand too."""
    shown = []
    for row in ("0,1,2,0.5\n", "+0,1.,2.0,0.5\n"):
        env = OffloadingEnv(**SIZES, arrivals=write_arrivals(tmp_path, HEADER + row + LAST))
        shown.append(env.reset(seed=0)[0])
    rows = np.array([[0, 1, 2, 0.5], [5, 0, 0, 0.1]])
    shown.append(OffloadingEnv(**SIZES, arrivals=rows).reset(seed=0)[0])
    np.testing.assert_equal(shown[0], shown[1])
    np.testing.assert_equal(shown[0], shown[2])


def test_positions_are_in_metres_or_in_degrees(tmp_path: Path) -> None:
    both = write_positions(tmp_path, "x,y,latitude,longitude\n0,0,1,1\n")
    with pytest.raises(ValueError, match="x, y and latitude, longitude: give only one of them"):
        read_positions(both, 1)
    alone = write_positions(tmp_path, "x,latitude,longitude,note,note\n0,1,1,a,b\n")
    assert read_positions(alone, 1).shape == (1, 2)


def _across(longitudes: list[float], folder: Path) -> Floats:
    rows = "".join(f"0,{longitude}\n" for longitude in longitudes)
    return read_positions(write_positions(folder, f"latitude,longitude\n{rows}"), len(longitudes))


def test_places_on_both_sides_of_the_date_line_keep_their_distance(tmp_path: Path) -> None:
    """The same distances as around 0 degrees, whichever side comes first."""
    at_home = _across([-0.1, 0.1, 0.0], tmp_path)
    np.testing.assert_allclose(_across([179.9, -179.9, 180.0], tmp_path), at_home, atol=1e-3)
    np.testing.assert_allclose(_across([179.9, -179.9, -180.0], tmp_path), at_home, atol=1e-3)
    swapped = _across([-179.9, 179.9, 180.0], tmp_path)
    np.testing.assert_allclose(swapped, at_home[[1, 0, 2]], atol=1e-3)


def test_a_folder_and_a_missing_file_are_told_apart(tmp_path: Path) -> None:
    for field, what in (("arrivals", "a CSV file with"), ("channel_trace", "an .npz file")):
        with pytest.raises(IsADirectoryError, match=f"expected {what}.*, found a folder"):
            OffloadingEnv(**SIZES, **{field: str(tmp_path)})
        missing = str(tmp_path / "none")
        with pytest.raises(FileNotFoundError, match=f"expected {what}.*, there is none$"):
            OffloadingEnv(**SIZES, **{field: missing})


@pytest.mark.parametrize(
    "fields",
    [
        {"channel_trace": np.ones((50, 64, 32))},
        {"arrivals": dict.fromkeys(range(1000), "x" * 100)},
        {"positions": np.ones((1000, 2), np.complex128)},
        {"horizon": 10**5000},
        {"horizon": "9" * 10_000},
    ],
)
def test_messages_stay_short(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(fields))} = .* is not allowed") as caught:
        OffloadingEnv(**fields)
    assert len(str(caught.value)) < 500
