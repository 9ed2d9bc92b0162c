"""What environments take, and that nothing is ignored in silence."""

import dataclasses
import gc
import re
import sys
from collections import UserDict, UserList, deque
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS, DMoEConfig, OffloadingConfig
from mec_moe_env.config import Config, Interval, OneOf, Real, UnknownFieldError, Whole
from tests.environments.catalogue import DMOE, OFFLOADING, SCALAR, VECTOR

IDS = (OFFLOADING, DMOE)
LENGTHS = {OFFLOADING: "horizon", DMOE: "num_layers"}


@pytest.mark.parametrize("id_", IDS)
def test_unknown_keywords_say_what_python_says(id_: str) -> None:
    """TorchRL probes for `frameskip` and looks for these words in a TypeError."""
    words = "got an unexpected keyword argument 'frameskip'"
    with pytest.raises(TypeError, match=words):
        gym.make(id_, frameskip=4)
    with pytest.raises(ValueError, match=words):
        gym.make(id_, frameskip=4)
    for build in (SCALAR[id_], VECTOR[id_]):
        with pytest.raises(UnknownFieldError, match=f"{words}: known: .*area_m"):
            build(frameskip=4)
        with pytest.raises(UnknownFieldError, match="'bandwith_hz': did you mean 'bandwidth_hz'"):
            build(bandwith_hz=1e6)


@pytest.mark.parametrize("id_", IDS)
def test_the_length_of_an_episode_has_its_own_name(id_: str) -> None:
    length = LENGTHS[id_]
    hint = f"'max_episode_steps': the length of an episode is {length}"
    with pytest.raises(UnknownFieldError, match=hint):
        gym.make_vec(id_, 2, max_episode_steps=5)
    short: dict[str, Any] = {length: 5}
    env: Any = gym.make_vec(id_, 2, **short)
    assert env.episode_steps == 5
    assert gym.make(id_, max_episode_steps=5).spec.max_episode_steps == 5  # type: ignore[union-attr]


@pytest.mark.parametrize("id_", IDS)
def test_render_modes_are_checked(id_: str) -> None:
    for build in (SCALAR[id_], VECTOR[id_]):
        with pytest.raises(ValueError, match=r"render_mode = 'rgb' .* must be None or one of"):
            build(render_mode="rgb")


@pytest.mark.parametrize("kind", [dict, UserDict])
def test_a_scenario_within_a_mapping(kind: Any) -> None:
    """RLlib hands over one mapping, Hydra one that is no dict."""
    digits = OFFLOADING_PRESETS["digits"]
    build = SCALAR[OFFLOADING]
    assert build(kind({"scenario": "digits", "horizon": 9})).config == digits.override(horizon=9)
    assert build(kind({"scenario": digits})).config == digits
    assert build(kind({"horizon": 9})).config == OffloadingConfig(horizon=9)
    env = VECTOR[DMOE](2, kind({"scenario": "paper", "qos": 0.5}), max_experts=1)
    assert env.config == DMOE_PRESETS["paper"].override(qos=0.5, max_experts=1)
    nested = {"scenario": {"scenario": "digits", "horizon": 9}, "horizon": 8}
    assert build(nested).config.horizon == 8
    with pytest.raises(ValueError, match="did you mean 'digits'"):
        build({"scenario": "digit"})
    with pytest.raises(TypeError, match="scenario must be a preset's name, .* or a mapping"):
        build({"scenario": 3})
    with pytest.raises(UnknownFieldError, match="'render_mode': .* beside the scenario"):
        build({"render_mode": "ansi"})


@pytest.mark.parametrize("kind", [list, UserList, deque, np.array])
def test_any_sequence_is_a_pair(kind: Any) -> None:
    config = SCALAR[OFFLOADING](payload_mbit=kind([0.25, 0.5]), num_types=2).config
    assert config.payload_mbit == (0.25, 0.5)
    assert SCALAR[DMOE](num_layers=2, importance=kind([1.0, 0.5])).config.importance == (1.0, 0.5)
    with pytest.raises(ValueError, match="payload_mbit = .* must be a pair"):
        OffloadingConfig(payload_mbit=kind([0.25, 0.5, 1.0]))


FAILING: dict[str, dict[str, Any]] = {
    "unknown": {"frameskip": 4},
    "value": {"num_subcarriers": 0},
    "render": {"render_mode": "rgb"},
    "count": {"num_envs": 0},
    "mode": {"autoreset_mode": "never"},
}


@pytest.mark.parametrize("options", FAILING.values(), ids=FAILING)
@pytest.mark.parametrize("id_", IDS)
def test_what_failed_to_be_built_is_silent(
    id_: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gymnasium 1.0 closes a vector environment in `__del__`, built or not."""
    errors: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", errors.append)
    closed: list[Any] = []
    methods = {"__del__": closing, "close_extras": lambda env: closed.append(env.num_envs)}
    kind = type("Closing", (VECTOR[id_],), methods)
    with pytest.raises(ValueError, match="."):
        kind(**options)
    gc.collect()
    assert closed == []
    env = kind(2)
    del env
    gc.collect()
    assert closed == [2]
    assert errors == []


def closing(env: Any) -> None:
    """What Gymnasium 1.0 does."""
    if not getattr(env, "closed", True):
        env.close()


@pytest.mark.parametrize("id_", IDS)
def test_options_of_a_reset_are_not_ignored(id_: str) -> None:
    env, vector = SCALAR[id_](), VECTOR[id_](2)
    with pytest.raises(ValueError, match="unknown option 'horizon' of reset.*: allowed is none"):
        env.reset(options={"horizon": 3})
    with pytest.raises(RuntimeError, match="reset"):
        env.step(env.action_space.sample())
    with pytest.raises(ValueError, match="unknown option 'mask' of .* one of \\('reset_mask',\\)"):
        vector.reset(options={"mask": np.ones(2, np.bool_)})
    env.reset(options={})
    vector.reset(options={"reset_mask": np.ones(2, np.bool_)})


def others(field: dataclasses.Field[Any], value: Any) -> list[Any]:
    """Return values that a field may have, other than its own."""
    by_hand: dict[str, list[Any]] = {
        "type_frequencies": [(1.0, 2.0)],
        "importance": [0.3],
        "num_sources": [1],
        "data_path": ["nowhere"],
        # The worst link has 2 bit/s/Hz.
        "min_spectral_efficiency": [3.0],
        # States take 0.2 s and 0.25 s on their best subcarriers.
        "deadline_seconds": [0.1],
        "hidden_widths": [(3, 3)],
        "tasks": [],
        "gates": [],
    }
    if field.name in by_hand:
        return by_hand[field.name]
    allowed = field.metadata.get("allowed")
    if isinstance(allowed, Whole):
        return [number for number in (value + 1, value + 4) if allowed.admits(number)]
    if isinstance(allowed, Real):
        numbers = (value / 2, 2 * value + 0.1, 0.5, 0.9)
        return [number for number in numbers if allowed.admits(number) and number != value]
    if isinstance(allowed, Interval):
        return [(2 * value[0], 2 * value[1])]
    if isinstance(allowed, OneOf):
        return [word for word in allowed.words if word != value]
    return [not value]


def played(id_: str, **fields: Any) -> str:
    """Play an episode of the toy by chance, seeded, and return all that was shown."""
    env = SCALAR[id_]("toy", **fields)
    env.action_space.seed(0)
    shown = [env.reset(seed=0)]
    for _ in range(env.episode_steps):
        shown.append(env.step(env.action_space.sample()))
    with np.printoptions(threshold=10**6, precision=17):
        return repr(shown)


def refused(id_: str, name: str, value: Any) -> str | None:
    """Return what the toy says to an override, None if it is taken."""
    try:
        SCALAR[id_]("toy", **{name: value})
    except ValueError as error:
        return str(error)
    return None


CASES = [
    (id_, field)
    for id_, config in ((OFFLOADING, OffloadingConfig), (DMOE, DMoEConfig))
    for field in dataclasses.fields(config)
]


@pytest.mark.parametrize(("id_", "field"), CASES, ids=lambda value: getattr(value, "name", value))
def test_the_toys_ignore_no_override(id_: str, field: dataclasses.Field[Any]) -> None:
    """What is overridden changes something, or is refused by name."""
    preset: Config = {OFFLOADING: OFFLOADING_PRESETS, DMOE: DMOE_PRESETS}[id_]["toy"]
    before = played(id_)
    for value in others(field, getattr(preset, field.name)):
        refusal = refused(id_, field.name, value)
        if refusal is None:
            assert played(id_, **{field.name: value}) != before
        else:
            assert re.match(rf"{field.name} = .* is not allowed|importance = ", refusal)
