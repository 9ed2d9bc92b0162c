"""What a configuration admits stays finite; everything else is refused with the allowed range."""

import dataclasses
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_moe_env import (
    DMoEConfig,
    DMoEEnv,
    OffloadingConfig,
    OffloadingEnv,
    OffloadingVectorEnv,
    unflatten,
)
from mec_moe_env.config import Config, Interval, OneOf, Recorded, Whole
from mec_moe_env.core.simulator import build
from mec_moe_env.shown import shown

SMALL: dict[type[Config], Config] = {
    OffloadingConfig: OffloadingConfig(
        num_tasks=2,
        max_experts=2,
        num_servers=3,
        num_subcarriers=2,
        num_types=2,
        horizon=6,
        feature_dim=5,
        samples_per_task=4,
    ),
    DMoEConfig: DMoEConfig(num_nodes=3, num_layers=3, num_subcarriers=4),
}
SIZES = {"horizon", "max_delay", "csi_delay"}
"""Integers that can be large where nothing else is."""
CROSSED = re.compile(
    "min_spectral_efficiency = .* must be below|feature_rank = .* must be at"
    "|experts = 'mlp' .* no held-out samples"
)
"""Two fields that each are in their range may not fit each other."""
BEYOND = (1e308, 1e200, 1e100, -1e-300, -1e308, 1e-320, 5e-324, 10**400, math.nan, math.inf)
STRANGE: tuple[Any, ...] = (
    None,
    True,
    "inf",
    "",
    (),
    (1.0,),
    (0.1, math.nan),
    (None, 1),
    {},
    1j,
    [[1], 2],
    b"1",
)


def extremes(allowed: Any, name: str) -> list[Any]:
    """Return the ends of a range, or what is next to an end that is left out."""
    if isinstance(allowed, OneOf):
        return list(allowed.words)
    if isinstance(allowed, Recorded):
        return [None]
    if isinstance(allowed, Interval):
        low, high = extremes(allowed.element, name)
        return [(low, low), (low, high), (high, high)]
    if isinstance(allowed, Whole):
        return [allowed.low, int(allowed.high)] if name in SIZES else [allowed.low]
    low = math.nextafter(allowed.low, math.inf) if allowed.open_low else allowed.low
    largest = math.inf if allowed.infinite else np.finfo(np.float64).max
    return [low, min(allowed.high, largest)]


def ranges(kind: type[Config]) -> dict[str, Any]:
    fields = dataclasses.fields(kind)
    return {f.name: f.metadata["allowed"] for f in fields if "allowed" in f.metadata}


def subsets(kind: type[Config]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of the fields at an end of its range."""
    options = {
        name: st.sampled_from(extremes(allowed, name)) for name, allowed in ranges(kind).items()
    }
    return st.fixed_dictionaries({}, optional=options)


def check_finite(config: Any, seed: int = 0) -> None:
    """Play a few steps, and see that all numbers are where they are promised to be."""
    env: Any = (OffloadingEnv if isinstance(config, OffloadingConfig) else DMoEEnv)(config)
    env.action_space.seed(seed)
    observation, info = env.reset(seed=seed)
    over = False
    for _ in range(6):
        assert env.observation_space.contains(observation)
        assert all(np.isfinite(value).all() for value in info.values()), info
        if over:
            break
        observation, reward, over, _, info = env.step(env.action_space.sample())
        assert math.isfinite(reward)


def cases() -> Iterator[Any]:
    """Yield every numeric field of both configurations."""
    for kind in SMALL:
        for name, allowed in ranges(kind).items():
            yield pytest.param(kind, name, allowed, id=f"{kind.__name__}-{name}")


@pytest.mark.parametrize(("kind", "name", "allowed"), list(cases()))
def test_a_field_is_refused_or_stays_finite(kind: type[Config], name: str, allowed: Any) -> None:
    pairs = [(0.0, value) for value in BEYOND] if isinstance(allowed, Interval) else []
    inside = set(extremes(allowed, name))
    for value in [*inside, *BEYOND, *pairs]:
        if isinstance(allowed, Whole) and value not in inside and allowed.admits(value):
            continue
        try:
            config = SMALL[kind].override(**{name: value})
        except ValueError as error:
            refused = f"{name} = {shown(value)} is not allowed: {name} must be {allowed}"
            assert str(error) == refused or CROSSED.match(str(error))  # noqa: PT017
        else:
            check_finite(config)


@given(fields=subsets(OffloadingConfig), seed=st.integers(0, 99))
def test_offloading_stays_finite_with_many_fields_at_their_ends(
    fields: dict[str, Any], seed: int
) -> None:
    try:
        config = SMALL[OffloadingConfig].override(**fields)
    except ValueError as error:
        assert CROSSED.match(str(error))  # noqa: PT017
    else:
        check_finite(config, seed)


@given(fields=subsets(DMoEConfig), seed=st.integers(0, 99))
def test_dmoe_stays_finite_with_many_fields_at_their_ends(
    fields: dict[str, Any], seed: int
) -> None:
    try:
        config = SMALL[DMoEConfig].override(**fields)
    except ValueError as error:
        assert CROSSED.match(str(error))  # noqa: PT017
    else:
        check_finite(config, seed)


@given(spread=st.floats(0, 1e6), seed=st.integers(0, 99))
def test_gate_scores_are_shares_however_far_they_spread(spread: float, seed: int) -> None:
    env = DMoEEnv(SMALL[DMoEConfig], gate_spread=spread)
    observation, _ = env.reset(seed=seed)
    gate = unflatten(observation, env.config.observation_shapes)["gate"]
    np.testing.assert_allclose(gate.sum(axis=-1), 1.0, rtol=1e-6)


def test_a_spread_that_overflowed_picks_the_best_expert() -> None:
    near, far = (DMoEEnv(gate_spread=spread).reset(seed=3)[0]["gate"] for spread in (100.0, 1e6))
    rows = near.reshape(-1, 4)
    np.testing.assert_array_equal(far.reshape(-1, 4), np.eye(4)[rows.argmax(axis=1)])


@pytest.mark.parametrize("kind", SMALL)
def test_a_value_of_a_strange_kind_is_a_value_error(kind: type[Config]) -> None:
    for field in dataclasses.fields(kind):
        for value in STRANGE:
            try:
                config = SMALL[kind].override(**{field.name: value})
            except ValueError as error:
                assert field.name in str(error)  # noqa: PT017
            else:
                assert field.name in ("tasks", "data_path", "num_sources", "type_frequencies") or (
                    getattr(config, field.name) == value
                )


@pytest.mark.parametrize("tasks", [None, 3, 1.5, object, ("synthetic",)])
def test_tasks_that_are_no_stream_are_a_value_error(tasks: Any) -> None:
    with pytest.raises(ValueError, match="tasks = .* is not allowed: .* or a TaskStream"):
        OffloadingEnv(tasks=tasks)


def test_what_does_not_fit_into_memory_is_a_value_error_with_the_sizes() -> None:
    def builder(*_: Any) -> Any:
        raise MemoryError("Unable to allocate 954. GiB")

    with pytest.raises(ValueError, match=r"num_envs = 2, .*csi_delay = 7.*954\. GiB"):
        build(builder, DMoEConfig(csi_delay=7), 2, 1)
    with pytest.raises(ValueError, match=r"num_envs = 10+ is not allowed.*\[1, 10000000\]"):
        OffloadingVectorEnv(10**9)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (OffloadingConfig, {"num_servers": 9, "horizon": 4, "type_frequencies": (1.0,) * 4}),
        (OffloadingConfig, {"payload_mbit": (0.5, 0.75), "area_m": 50.0}),
        (DMoEConfig, {"num_nodes": 5, "num_sources": 2, "importance": (0.5,) * 4, "qos": 0.5}),
    ],
)
@pytest.mark.parametrize("convert", [np.asarray, lambda value: np.array(value).tolist()])
def test_numpy_values_are_those_of_python(kind: Any, values: dict[str, Any], convert: Any) -> None:
    config = kind(**{name: convert(value) for name, value in values.items()})
    assert config == kind(**values)
    types = [type(getattr(config, name)) for name in values]
    assert types == [type(value) for value in values.values()]


@pytest.mark.parametrize("whole", [int, np.int64, np.uint8, np.int16])
def test_numpy_integers_count_and_seed(whole: Any) -> None:
    env, plain = OffloadingVectorEnv(whole(2), "toy", num_threads=whole(1)), OffloadingVectorEnv(2)
    assert type(env.num_envs) is int
    several: Any = (whole(3), [whole(3), whole(4)], np.array([3, 4], whole))
    for seeds in several:
        there, _ = OffloadingVectorEnv(whole(2)).reset(seed=seeds)
        here, _ = plain.reset(seed=3)
        np.testing.assert_array_equal(there["task"], here["task"])
    there, _ = OffloadingEnv().reset(seed=whole(3))
    np.testing.assert_array_equal(there["task"], here["task"][0])


@pytest.mark.parametrize(
    ("make", "name", "hint"),
    [
        (OffloadingVectorEnv, "max_episode_steps", "the length of an episode is horizon"),
        (DMoEEnv, "max_episode_steps", "the length of an episode is num_layers"),
        (OffloadingEnv, "num_envs", "only a vector environment has sub-environments"),
        (OffloadingEnv, "num_server", "did you mean 'num_servers'?"),
    ],
)
def test_names_of_gymnasium_get_their_own_answer(make: Any, name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(hint)):
        make(**{name: 5})
