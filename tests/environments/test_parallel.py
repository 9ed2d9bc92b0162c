"""Offloading with an agent per base station is offloading, seen from each of them."""

import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mec_moe_env import OffloadingEnv, parallel_env
from mec_moe_env.core.buffers import Flags

pytest.importorskip("pettingzoo")
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test
from pettingzoo.utils import parallel_to_aec

CROWDED: dict[str, Any] = {"num_tasks": 3, "max_experts": 2, "horizon": 30}
OF_TASKS = ("task", "payload", "origin", "spectral_efficiency")


@pytest.fixture(params=["default", "crowded"])
def build(request: pytest.FixtureRequest) -> Callable[[], Any]:
    return lambda: parallel_env(**(CROWDED if request.param == "crowded" else {"horizon": 30}))


def by_task(env: Any, flat: Any) -> Any:
    return flat.reshape(env.config.num_tasks, -1)


def origins(env: Any, whole: Any) -> Flags:
    shown: Flags = by_task(env, whole["origin"]) > 0
    return shown


def act(env: Any) -> dict[str, Any]:
    return {agent: env.action_space(agent).sample() for agent in env.agents}


@pytest.mark.filterwarnings("ignore:.*reset.. has no options", "ignore:.*(O|o)bservation")
@pytest.mark.filterwarnings("ignore:.*(A|a)ction space for each agent")
def test_pettingzoos_own_tests_pass(build: Callable[[], Any]) -> None:
    parallel_api_test(build(), num_cycles=100)
    parallel_seed_test(build, num_cycles=100)
    api_test(parallel_to_aec(build()), num_cycles=100)
    seed_test(lambda: parallel_to_aec(build()), num_cycles=10)


def test_equal_seeds_give_equal_episodes(build: Callable[[], Any]) -> None:
    """PettingZoo's own test looks at the first slot only."""
    one, two = build(), build()
    first, second = one.reset(seed=3), two.reset(seed=3)
    while one.agents:
        assert np.array_equal(one.state(), two.state())
        assert first[0].keys() == second[0].keys() == set(one.possible_agents)
        actions = act(one)
        first, second = one.step(actions), two.step(actions)
        assert first[1:4] == second[1:4]
        for agent in one.possible_agents:
            for key, entry in first[0][agent].items():
                assert np.array_equal(entry, second[0][agent][key])
    assert not two.agents


def test_the_picks_of_all_are_the_action_of_the_environment(build: Callable[[], Any]) -> None:
    env = build()
    one = OffloadingEnv(env.config)
    env.reset(seed=5)
    whole, _ = one.reset(seed=5)
    while env.agents:
        actions = act(env)
        joint = [
            by_task(env, actions[f"station_{m}"])[u]
            for u, m in zip(*origins(env, whole).nonzero())  # noqa: B905
        ]
        whole, reward, terminated, _, info = one.step(np.concatenate(joint))
        _, rewards, terminations, truncations, infos = env.step(actions)
        assert rewards == dict.fromkeys(env.possible_agents, reward)
        assert terminations == dict.fromkeys(env.possible_agents, terminated)
        assert not any(truncations.values())
        for agent in env.possible_agents:
            assert {**infos[agent], "action_mask": None} == {**info, "action_mask": None}
        assert np.array_equal(env.state(), np.concatenate([whole[key] for key in sorted(whole)]))
    assert terminated


def test_of_two_picks_of_one_server_the_earlier_task_counts() -> None:
    env = parallel_env(num_tasks=2, num_servers=3)
    arrived: list[int] = []
    for seed in range(100):
        observations, _ = env.reset(seed=seed)
        whole = np.sum([each["origin"] for each in observations.values()], axis=0)
        arrived = whole.reshape(2, 3).argmax(axis=1).tolist()
        if arrived == [1, 0]:
            break
    assert arrived == [1, 0]
    wanted = {"station_0": [2, 0, 2, 0], "station_1": [2, 1, 2, 1], "station_2": [0, 0, 1, 1]}
    shown, *_, infos = env.step({agent: np.array(picks) for agent, picks in wanted.items()})
    info = infos["station_2"]
    assert (info["accepted"], info["rejected"], info["dropped_picks"]) == (1, 1, 1)
    # The earlier task's, of station 1: server 2 and subcarrier 1, nothing of station 2's.
    assert (shown["station_2"]["busy"] > 0).tolist()[:2] == [False, False]
    assert shown["station_2"]["subcarrier_busy"][0] == 0.0


def test_each_station_sees_its_own_tasks(build: Callable[[], Any]) -> None:
    env = build()
    one = OffloadingEnv(env.config)
    observations, infos = env.reset(seed=1)
    whole, info = one.reset(seed=1)
    here = origins(env, whole)
    for key, entry in whole.items():
        seen = [observations[agent][key] for agent in env.agents]
        if key not in OF_TASKS:
            assert all(np.array_equal(each, entry) for each in seen)
            continue
        assert np.array_equal(np.sum(seen, axis=0), entry)
        for m, each in enumerate(seen):
            assert not by_task(env, each)[~here[:, m]].any()
    for m, agent in enumerate(env.agents):
        assert env.observation_space(agent).contains(observations[agent])
        mask = by_task(env, infos[agent]["action_mask"])
        assert np.array_equal(mask[here[:, m]], by_task(env, info["action_mask"])[here[:, m]])


def test_masks_leave_one_choice_for_tasks_of_others(build: Callable[[], Any]) -> None:
    env = build()
    observations, infos = env.reset(seed=2)
    for m, agent in enumerate(env.agents):
        own = by_task(env, observations[agent]["origin"])[:, m] > 0
        action = env.action_space(agent).sample(infos[agent]["action_mask"])
        for picks in by_task(env, action)[~own]:
            none = [env.config.num_servers, 0] * env.config.max_experts
            assert picks.tolist() == none
        masks = by_task(env, infos[agent]["action_mask"])[~own]
        assert (masks.sum(axis=1) == 2 * env.config.max_experts).all()


def test_agents_share_no_array() -> None:
    env = parallel_env(**CROWDED)
    observations, _ = env.reset(seed=0)
    before, kept = observations["station_1"]["compute"].copy(), env.state()
    for entry in observations["station_0"].values():
        entry[:] = -1.0
    assert np.array_equal(observations["station_1"]["compute"], before)
    assert np.array_equal(env.state(), kept)
    one, two = (env.observation_space(agent) for agent in env.agents[:2])
    one.seed(0)
    two.seed(0)
    assert np.array_equal(one.sample()["task"], two.sample()["task"])


def test_what_is_wrong_is_named() -> None:
    env = parallel_env(horizon=1)
    with pytest.raises(RuntimeError, match=r"reset\(\) before state"):
        env.state()
    with pytest.raises(RuntimeError, match=r"reset\(\) before step"):
        env.step({})
    env.reset(seed=0)
    actions = act(env)
    with pytest.raises(ValueError, match="expected those of"):
        env.step({"station_0": actions["station_0"]})
    strangers: list[Any] = [None, [actions["station_0"]], 3]
    for stranger in strangers:
        with pytest.raises(ValueError, match="actions must be a mapping of agents"):
            env.step(stranger)
    with pytest.raises(ValueError, match=r"actions are of \[1, 'a'\], expected those of"):
        env.step({1: 0, "a": 0})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match=r"station_1: action\[0\] = -1 lies outside"):
        env.step(actions | {"station_1": np.array([-1, 0])})
    env.step(actions)
    assert env.agents == []
    assert env.num_agents == 0
    with pytest.raises(RuntimeError, match="once an episode is over"):
        env.step(actions)
    with pytest.raises(ValueError, match="did you mean 'horizon'"):
        parallel_env(horizont=3)


def test_options_are_ignored_aloud() -> None:
    with pytest.warns(UserWarning, match=r"no options, ignored: \['horizon'\]"):
        parallel_env(horizon=2).reset(seed=0, options={"horizon": 3})


def test_it_renders_and_pickles() -> None:
    env = parallel_env("toy", render_mode="ansi")
    env.reset(seed=0)
    assert "slot" in env.render()
    twin = pickle.loads(pickle.dumps(env))
    actions = act(env)
    assert env.step(actions)[1] == twin.step(actions)[1]
    env.close()


def test_without_pettingzoo_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pettingzoo", None)
    monkeypatch.delitem(sys.modules, "mec_moe_env.multiagent", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'mec-moe-env\[multiagent\]'"):
        parallel_env()
