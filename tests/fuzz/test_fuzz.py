"""A short run of the fuzzer, and that it would notice: `python -m tests.fuzz` is a long one."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from mec_moe_env import DMoEEnv, OffloadingEnv
from mec_moe_env.core import pool
from tests.fuzz import play as playing
from tests.fuzz.__main__ import arguments
from tests.fuzz.configurations import configuration
from tests.fuzz.invariants import SINGLE, close, require
from tests.fuzz.play import play

LEFT_OUT = ("data_path", "channel_trace", "arrivals")
"""Fields that name files; what such files do is tested in `tests/worlds` and `tests/moe`."""
FEW = 60
"""Configurations from which the short run takes those that are quick to compile."""


def is_quick(config: Any) -> bool:
    compiled = getattr(config, "tasks", getattr(config, "gates", "")) in ("synthetic", "random")
    return compiled and sum(map(math.prod, config.observation_shapes.values())) < 2000


def test_a_short_run_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "HAND_OVER_SECONDS", 0.0)
    monkeypatch.setattr(playing, "STEPS_EACH", 400)
    quick = [number for number in range(FEW) if is_quick(configuration(7, number))]
    assert len(quick) > 20
    assert sum(play(7, number) for number in quick) > 3000


def test_configurations_follow_from_seed_and_number() -> None:
    for number in range(20):
        one, other = (configuration(3, number).to_dict() for _ in range(2))
        assert repr(one) == repr(other)
    assert configuration(3, 0) != configuration(4, 0)


def test_configurations_reach_all_fields() -> None:
    """Every field with a range leaves its default somewhere, and every word is chosen."""
    drawn = [configuration(0, number) for number in range(300)]
    for kind in {type(config) for config in drawn}:
        mine = [config for config in drawn if type(config) is kind]
        for field in dataclasses.fields(kind):
            if field.name in LEFT_OUT:
                continue
            values = {repr(getattr(config, field.name)) for config in mine}
            assert len(values) > 1, field.name
    streams = {getattr(config, "tasks", None) for config in drawn}
    assert {"synthetic", "teacher", "digits", "toy"} <= streams
    assert {getattr(config, "gates", "toy") for config in drawn} >= {"random", "digits", "trace"}


@pytest.mark.parametrize("make", [OffloadingEnv, DMoEEnv])
def test_a_toy_stays_inside_its_space_whatever_the_channel_admits(make: Any) -> None:
    env = make("toy", max_spectral_efficiency=0.2)
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    env = make("toy", min_spectral_efficiency=7.0, max_spectral_efficiency=8.0)
    assert env.reset(seed=0)[0]["spectral_efficiency"].min() == 7.0


@pytest.mark.parametrize("number", [431, 888])
def test_equal_efficiencies_are_parted_within_their_range(number: int) -> None:
    """Both were drawn as the largest that is allowed."""
    drawn = configuration(1, number)
    assert drawn.min_spectral_efficiency < drawn.max_spectral_efficiency == 1000.0


@pytest.mark.parametrize("steps", ["nan", "inf", "-5", "0", "many"])
def test_a_run_without_steps_is_refused(steps: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(["--steps", steps])
    assert ended.value.code == 2
    assert "--steps: " in capsys.readouterr().err
    assert arguments(["--steps", "1e3"]).steps == 1000.0


def test_a_gate_below_float32_is_seen_as_zero() -> None:
    close(np.array([1e-48]), np.array([0.0]), SINGLE, "relevance")
    with pytest.raises(AssertionError, match="relevance"):
        close(np.array([1e-36]), np.array([0.0]), SINGLE, "relevance")


def test_what_does_not_hold_is_named_with_its_values() -> None:
    values = np.array([1.0, -2.0])
    with pytest.raises(AssertionError, match=r"at least 0: not at \(1,\), .*-2\.0"):
        require(values >= 0, "at least 0", values)


@pytest.mark.parametrize("term", ["reward", "energy_j", "dropped_picks"])
def test_a_wrong_number_would_be_found(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number a little off, in one sub-environment, ends the run."""
    number = next(each for each in range(FEW) if is_quick(configuration(7, each)))
    vector = playing.KINDS[type(configuration(7, number))].vector
    original = vector.step

    def spoilt(self: Any, told: Any) -> Any:
        result = original(self, told)
        values = result[1] if term == "reward" else result[4][term]
        values[0] += 1
        return result

    monkeypatch.setattr(vector, "step", spoilt)
    with pytest.raises(AssertionError):
        play(7, number)
