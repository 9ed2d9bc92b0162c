"""Values in messages: as `repr` has them where they are short, cut where they are not."""

from typing import Any

import numpy as np
import pytest

from mec_moe_env import DMoEEnv, OffloadingEnv
from mec_moe_env.core.vector import SimulatorVectorEnv
from mec_moe_env.shown import MOST, shown
from mec_moe_env.wrappers import FlatAction, FlatObservation
from tests.environments.catalogue import DMOE, VECTOR


@pytest.mark.parametrize("value", [3, -0.5, None, "word", (1, 2.5), ["a"], {"a": 1}, np.int64(4)])
def test_short_values_are_whole(value: object) -> None:
    assert shown(value) == repr(value)


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10_000,
        10**4000,
        10**5000,
        list(range(10_000)),
        [["word" * 100] * 100] * 100,
        {number: [number] * 100 for number in range(1000)},
        np.ones((50, 64, 32)),
        np.ones((50, 64, 32)).tolist(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_long_values_are_cut_and_say_so(value: object) -> None:
    text = shown(value)
    assert len(text) <= MOST
    assert "..." in text or "too long" in text


def test_wrappers_name_what_they_were_given_in_few_words() -> None:
    strangers: list[Any] = [
        lambda: FlatAction(DMoEEnv()),
        lambda: FlatObservation(FlatObservation(OffloadingEnv())),
    ]
    for make in strangers:
        with pytest.raises(TypeError, match="needs an environment|expected a Dict") as caught:
            make()
        assert len(str(caught.value)) < 500


def test_a_mask_of_resets_is_named_in_few_words() -> None:
    env: SimulatorVectorEnv = VECTOR[DMOE](2)
    with pytest.raises(ValueError, match="reset_mask") as caught:
        env.reset(options={"reset_mask": [list(range(1000))] * 100})
    assert len(str(caught.value)) < 500
