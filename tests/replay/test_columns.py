"""Arrays as short JSON: nothing is lost, and long runs take little room."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from mec_moe_agents.replay.columns import Array, decode, encode, quantize

SHAPES = arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5)
KINDS = st.sampled_from([np.bool_, np.uint8, np.int8, np.int16, np.int32, np.float32])


@given(KINDS.flatmap(lambda kind: arrays.arrays(kind, SHAPES)))
def test_a_column_comes_back(array: Array) -> None:
    document = json.loads(json.dumps(encode(array)))
    back = decode(document)
    assert back.shape == array.shape
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 255], "u1"),
        ([-1, 127], "i1"),
        ([0, 256], "u2"),
        ([-129, 0], "i2"),
        ([0, 2**31], "u4"),
        ([-(2**31), 0], "i4"),
        ([True, False], "u1"),
        ([0.5, 2.0], "f4"),
    ],
)
def test_integers_are_as_small_as_can_be(values: list[float], kind: str) -> None:
    assert encode(np.array(values))["kind"] == kind


def test_integers_that_no_typed_array_holds_are_refused() -> None:
    with pytest.raises(ValueError, match=r"from -1 to 4294967295 need more than 32 bits"):
        encode(np.array([-1, 2**32 - 1]))


def test_runs_follow_the_steps_where_that_is_shorter() -> None:
    # Three servers over 100 steps, each the same throughout: three runs of 100.
    document = encode(np.repeat([[7, 8, 9]], 100, axis=0))
    assert document["order"] == "series"
    assert base64.b64decode(document["values"]) == bytes([7, 8, 9])
    assert base64.b64decode(document["runs"]) == bytes([100, 100, 100])
    # One step after the other alike within itself: runs in the array's own order.
    assert encode(np.repeat([[1], [2], [1]], 50, axis=1))["order"] == "step"
    assert encode(np.arange(9))["order"] == "plain"


def test_levels() -> None:
    levels = quantize(np.array([-1.0, 0.0, 2.0, 5.0, 10.0, 11.0]), 10.0, 255)
    assert levels.tolist() == [0, 0, 51, 128, 255, 255]
