"""Worlds from outside: what an environment shows of them, and what stays as it was."""

import pickle
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from mec_moe_agents import agent_names, certified_bound, evaluate

from mec_moe_env import (
    DMoEConfig,
    OffloadingConfig,
    OffloadingEnv,
    OffloadingVectorEnv,
    foresight,
    unflatten,
)
from mec_moe_env.worlds import read_positions
from tests.environments.test_golden import digest
from tests.environments.test_streams import D, K, N, Noise
from tests.worlds.recorded import (
    ARRIVALS,
    HORIZON,
    SERVERS,
    SIZES,
    SUBCARRIERS,
    efficiencies,
    write_arrivals,
    write_positions,
    write_trace,
)

LOOKS = (0, HORIZON)


def whole(folder: Path) -> dict[str, Any]:
    """Return the fields of a scenario in which everything is recorded."""
    return {
        **SIZES,
        "positions": write_positions(folder),
        "channel_trace": write_trace(folder),
        "arrivals": write_arrivals(folder),
    }


def test_arrivals_are_those_of_the_table(tmp_path: Path) -> None:
    future = foresight(OffloadingConfig(**SIZES, arrivals=write_arrivals(tmp_path)), seed=0)
    assert future.types.tolist() == [[1, 0], [-1, -1], [3, -1], [2, -1], [-1, -1], [-1, -1]]
    assert future.origin.tolist() == [[2, 0], [-1, -1], [1, -1], [2, -1], [-1, -1], [-1, -1]]
    assert future.payload.tolist() == [[0.5, 0.3], [0, 0], [1.0, 0], [0.25, 0], [0, 0], [0, 0]]
    assert not future.constant[future.types < 0].any()
    assert (future.constant[future.types >= 0] > 0).all()


def test_rows_may_be_given_without_a_file_and_in_any_order(tmp_path: Path) -> None:
    rows = [line.split(",") for line in ARRIVALS.splitlines()[1:]]
    given = [[None if cell == "" else float(cell) for cell in row] for row in reversed(rows)]
    given[-2:] = given[:-3:-1]  # order within a slot counts
    from_file = foresight(OffloadingConfig(**SIZES, arrivals=write_arrivals(tmp_path)), seed=0)
    from_rows = foresight(OffloadingConfig(**SIZES, arrivals=given), seed=0)
    for here, there in zip(from_rows, from_file, strict=True):
        np.testing.assert_array_equal(here, there)


def test_where_nobody_arrives_there_is_nothing_to_serve(tmp_path: Path) -> None:
    env = OffloadingEnv(**SIZES, arrivals=write_arrivals(tmp_path))
    observation, info = env.reset(seed=0)
    arrived, picks = [], np.tile([0, 0, 1, 1], 1)
    for slot in range(HORIZON):
        seen = unflatten(observation, env.config.observation_shapes)
        here = seen["origin"].any(axis=1)
        assert not seen["task"][~here].any()
        assert not seen["payload"][~here].any()
        servers = info["action_mask"].reshape(2, SERVERS + 1 + SUBCARRIERS)[:, :SERVERS]
        assert not servers[~here].any()
        assert np.isinf(env.error_increments()[~here]).all()
        assert not env.rejection_errors()[~here].any()
        observation, _, over, _, info = env.step(picks)
        arrived.append(info["accepted"] + info["rejected"])
        assert info["accepted"] <= here.sum()
        # Two picks a slot: what is not accepted was dropped, as nobody else asked.
        assert info["dropped_picks"] == 2 - info["accepted"]
        assert over == (slot == HORIZON - 1)
    assert arrived == [2, 0, 1, 1, 0, 0]


def test_errors_are_of_the_tasks_that_came(tmp_path: Path) -> None:
    config = OffloadingConfig(**SIZES, arrivals=write_arrivals(tmp_path))
    result = evaluate("reject-all", config, [0, 1])
    totals = [foresight(config, seed).constant.sum() for seed in (0, 1)]
    np.testing.assert_allclose(result.metrics["generalization_error"], np.array(totals) / 4)
    np.testing.assert_allclose(result.metrics["return"], -np.array(totals))
    np.testing.assert_array_equal(result.metrics["rejected_share"], 1.0)


def test_a_channel_is_the_one_of_the_trace(tmp_path: Path) -> None:
    config = OffloadingConfig(**SIZES, channel_trace=write_trace(tmp_path))
    future = foresight(config, seed=1)
    links = efficiencies().astype(np.float32).reshape(HORIZON, SERVERS, SERVERS, SUBCARRIERS)
    for t, u in np.ndindex(HORIZON, 2):
        origin = future.origin[t, u]
        expected = links[t, origin].copy()
        expected[origin] = config.max_spectral_efficiency
        np.testing.assert_array_equal(future.spectral_efficiency[t, u], expected)


def test_gains_and_rates_are_converted(tmp_path: Path) -> None:
    wanted = efficiencies(links=SERVERS)
    config = OffloadingConfig(**SIZES)
    # N0·F·B0 = 10^((−174 + 9 + 60 − 30)/10) W; SNR = P0·gain/noise.
    noise = 10.0 ** ((-174 + 9 + 60 - 30) / 10)
    gain = (2.0**wanted - 1.0) * noise / 0.1
    forms = {"gain": gain, "gain_db": 10 * np.log10(gain), "rate": 1e6 * wanted}
    for name, array in forms.items():
        trace = config.override(channel_trace=write_trace(tmp_path, **{name: array}))
        shown = foresight(trace, seed=0)
        origin = shown.origin[0, 0]
        others = np.arange(SERVERS) != origin
        np.testing.assert_allclose(shown.spectral_efficiency[0, 0][others], wanted[0][others], 1e-6)


def test_what_is_not_recorded_stays_as_it_is(tmp_path: Path) -> None:
    plain = OffloadingConfig(**SIZES)
    here, there = (
        foresight(config, seed=3)
        for config in (plain, plain.override(channel_trace=write_trace(tmp_path)))
    )
    for name in ("types", "origin", "payload", "features", "labels", "joules", "seconds"):
        if name not in ("origin", "payload"):
            np.testing.assert_array_equal(getattr(here, name), getattr(there, name))


def test_sites_stand_where_the_dataset_has_them(tmp_path: Path) -> None:
    path = write_positions(tmp_path)
    places = read_positions(path, 4)
    # A degree of latitude is 111.195 km; of longitude that times cos 37.8196°.
    north, east = np.diff(places[:2], axis=0)[0, ::-1]
    assert north == pytest.approx(-0.0014 * 111195, rel=1e-4)
    assert east == pytest.approx(0.0069 * 111195 * np.cos(np.deg2rad(37.81965)), rel=1e-4)
    env = OffloadingEnv(**SIZES, positions=path)
    for seed in (0, 1):
        env.reset(seed=seed)
        shown = env.scene()
        assert shown.positions is not None
        np.testing.assert_allclose(shown.positions, places[:3] - places[:3].min(axis=0))
        assert shown.area_m == shown.positions.max()
    np.testing.assert_array_equal(read_positions([[0, 1], [2, 3]], 1), [[0, 1]])


@pytest.mark.parametrize("start", ["first", "random"])
def test_all_forms_of_the_environment_agree(tmp_path: Path, start: str) -> None:
    fields = whole(tmp_path) | {
        "channel_trace": write_trace(tmp_path, rate=1e6 * efficiencies(slots=20)),
        "arrivals": write_arrivals(tmp_path, ARRIVALS + "12,0,0,0.4\n19,,,\n"),
        "trace_start": start,
    }
    forms = [
        SyncVectorEnv([lambda: OffloadingEnv(**fields)] * 3),
        OffloadingVectorEnv(3, **fields),
        OffloadingVectorEnv(3, **fields, num_threads=2),
    ]
    assert len({digest(env, LOOKS) for env in forms}) == 1


def test_an_episode_may_begin_anywhere_in_a_record(tmp_path: Path) -> None:
    trace = write_trace(tmp_path, spectral_efficiency=efficiencies(slots=HORIZON + 2))
    config = OffloadingConfig(**SIZES, channel_trace=trace, trace_start="random")
    first = efficiencies(slots=HORIZON + 2).astype(np.float32)
    begun = set()
    for seed in range(20):
        future = foresight(config, seed)
        origin, other = future.origin[0, 0], (future.origin[0, 0] + 1) % SERVERS
        shown = future.spectral_efficiency[0, 0, other, 0]
        begun.add(int(np.flatnonzero(first[:, origin * SERVERS + other, 0] == shown)[0]))
    assert begun == {0, 1, 2}


def test_python_streams_are_asked_for_the_types_that_arrive(tmp_path: Path) -> None:
    table = write_arrivals(tmp_path, "slot,type,origin,payload\n0,1,2,0.5\n0,0,0,0.3\n5,1,1,1\n")
    shape: dict[str, Any] = {"num_types": N, "feature_dim": D, "samples_per_task": K}
    future = foresight(OffloadingConfig(**SIZES, tasks=Noise(), arrivals=table, **shape), seed=0)
    assert future.types.tolist() == [[1, 0], *[[-1, -1]] * 4, [1, -1]]
    assert future.features[future.types >= 0].all()
    assert not future.features[future.types < 0].any()


def test_gym_make_pickle_and_workers(tmp_path: Path) -> None:
    fields = whole(tmp_path)
    env = gym.make("mec_moe/Offloading-v0", **fields)
    observation, _ = env.reset(seed=0)
    config = env.unwrapped.config  # type: ignore[attr-defined]
    assert pickle.loads(pickle.dumps(config)) == config
    recorded = "positions", "channel_trace", "arrivals"
    assert config.files == {name: fields[name] for name in recorded}
    assert config == config.override(positions=Path(fields["positions"]))
    workers = AsyncVectorEnv([lambda: OffloadingEnv(**fields)] * 2)
    seen, _ = workers.reset(seed=0)
    workers.close()
    for name, entry in observation.items():
        np.testing.assert_array_equal(seen[name][0], entry)


def test_agents_and_bounds_know_such_worlds(tmp_path: Path) -> None:
    config = OffloadingConfig(**whole(tmp_path))
    names = [name for name in agent_names(config) if name != "mlp"]
    (bound,) = certified_bound(config, [0])
    for name in names:
        assert evaluate(name, config, [0]).metrics["return"][0] <= bound


def test_dmoe_meets_the_trace_both_ways_and_late(tmp_path: Path) -> None:
    trace = efficiencies(slots=5, links=9)
    config = DMoEConfig(
        num_nodes=3,
        num_layers=4,
        num_subcarriers=SUBCARRIERS,
        csi_delay=1,
        count_backward=True,
        channel_trace=write_trace(tmp_path, spectral_efficiency=trace),
        positions=write_positions(tmp_path),
    )
    future = foresight(config, seed=0)
    links = trace.astype(np.float32).reshape(5, 3, 3, SUBCARRIERS)
    links[:, range(3), range(3)] = config.max_spectral_efficiency
    np.testing.assert_array_equal(future.shown_efficiency, links[:4])
    np.testing.assert_array_equal(future.spectral_efficiency, links[1:])
    np.testing.assert_array_equal(future.return_efficiency, links[1:])
    assert certified_bound(config, [0])[0] < 0
