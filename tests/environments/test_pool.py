"""Threads that share compiled work: everything is done once, whoever is late, ends or fails."""

import gc
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mec_moe_env import OffloadingVectorEnv
from mec_moe_env.core import pool as pool_module
from mec_moe_env.core.kernels import Entry, device, lean_kernel
from mec_moe_env.core.pool import Pool, Work
from tests.environments.catalogue import CASES, LARGE, VECTOR, Case

PATIENCE_SECONDS = 300.0


@pytest.fixture(autouse=True)
def _share_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no call be too short to be shared."""
    monkeypatch.setattr(pool_module, "HAND_OVER_SECONDS", 0.0)


def counting(visits: np.ndarray) -> Work:
    """Return work that counts a visit of every sub-environment, by thread."""

    def work(first: int, last: int, thread: int) -> None:
        visits[thread, first:last] += 1

    return work


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(1, 200), st.integers(1, 7))
def test_every_sub_environment_is_visited_once(num_envs: int, num_threads: int) -> None:
    pool = Pool(num_envs, num_threads)
    visits = np.zeros((num_threads, num_envs), np.int64)
    for _ in range(5):
        pool.run(counting(visits))
    pool.close()
    np.testing.assert_array_equal(visits.sum(axis=0), 5)


def test_results_are_there_when_a_run_returns() -> None:
    """Far more runs than a race would survive, each one checked before the next."""
    pool, num_envs = Pool(64, 3), 64
    visits = np.zeros((3, num_envs), np.int64)
    for run in range(1, 3001):
        pool.run(counting(visits))
        assert visits.sum() == run * num_envs
    pool.close()


def test_short_calls_stay_on_the_callers_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """And long ones are shared, whatever the first call took, which may have compiled."""
    # So long that a busy machine, which keeps a thread waiting, does not make short calls long.
    monkeypatch.setattr(pool_module, "HAND_OVER_SECONDS", 1.5)
    pool, threads = Pool(8, 2), set[int]()

    def work(first: int, last: int, thread: int, seconds: float) -> None:
        threads.add(thread)
        time.sleep(seconds * (last - first))

    pool.run(lambda first, last, thread: work(first, last, thread, 0.25))
    assert threads == {0}
    pool.run(lambda first, last, thread: work(first, last, thread, 0.0))
    assert threads == {0, 1}
    threads.clear()
    for _ in range(3):
        pool.run(lambda first, last, thread: work(first, last, thread, 0.0))
    assert threads == {0}
    pool.close()


def test_a_helper_that_is_late_is_not_waited_for() -> None:
    """Who has not begun when everything is done never begins."""
    pool, busy, go_on = Pool(4, 2), threading.Event(), threading.Event()
    visits = np.zeros((2, 4), np.int64)
    pool.run(counting(visits))
    assert pool._executor is not None

    def occupy() -> bool:
        busy.set()
        return go_on.wait(PATIENCE_SECONDS)

    occupied = pool._executor.submit(occupy)
    assert busy.wait(PATIENCE_SECONDS)
    before = visits.copy()
    pool.run(counting(visits))
    assert (visits - before).tolist() == [[1] * 4, [0] * 4]
    go_on.set()
    assert occupied.result()
    pool.close()
    assert (visits - before).tolist() == [[1] * 4, [0] * 4]


def test_an_error_in_a_helper_reaches_the_caller() -> None:
    pool, failed = Pool(4, 2), threading.Event()
    visits = np.zeros((2, 4), np.int64)

    def work(first: int, last: int, thread: int) -> None:
        if thread == 1:
            failed.set()
            raise ArithmeticError("in a helper")
        assert failed.wait(PATIENCE_SECONDS)

    pool.run(counting(visits))  # the first run stays on the caller's thread
    with pytest.raises(ArithmeticError, match="in a helper"):
        pool.run(work)
    pool.run(counting(visits))
    pool.close()


def test_an_error_of_the_caller_ends_the_call() -> None:
    """Helpers begin nothing more, and are through before the next call."""
    pool, failing = Pool(40, 2), threading.Event()
    visits = np.zeros((2, 40), np.int64)

    def work(first: int, last: int, thread: int) -> None:
        if thread == 0:
            failing.set()
            raise ArithmeticError("in the caller")
        assert failing.wait(PATIENCE_SECONDS)  # a helper may be quick enough to do everything
        visits[thread, first:last] += 1

    for _ in range(20):
        failing.clear()
        with pytest.raises(ArithmeticError, match="in the caller"):
            pool.run(work)
        before = visits.sum()
        pool.run(counting(visits))
        assert visits.sum() == before + 40
    pool.close()


def test_helpers_of_an_interrupted_call_are_waited_for() -> None:
    pool, begun, go_on = Pool(4, 2), threading.Event(), threading.Event()
    log: list[str] = []

    def work(first: int, last: int, thread: int) -> None:
        if thread == 1:
            begun.set()
            assert go_on.wait(PATIENCE_SECONDS)
            log.append("old")
            return
        assert begun.wait(PATIENCE_SECONDS)
        threading.Timer(0.05, go_on.set).start()
        raise KeyboardInterrupt

    pool.run(counting(np.zeros((2, 4), np.int64)))
    with pytest.raises(KeyboardInterrupt):
        pool.run(work)
    log.append("returned")
    assert log[0] == "old"
    assert log[-1] == "returned"
    pool.close()


@pytest.mark.parametrize("mode", ["next_step", "same_step"])
@pytest.mark.parametrize("during", ["reset", "step"])
def test_an_interrupt_anywhere_asks_for_a_reset(
    mode: str, during: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random streams that began anew, or episodes that ended, are not stepped on."""
    env = OffloadingVectorEnv(4, "toy", autoreset_mode=mode)
    env.reset(seed=0)
    actions = env.action_space.sample()
    steps_to_restart = {"next_step": 4, "same_step": 3}[mode]
    for _ in range(steps_to_restart if during == "step" else 0):
        env.step(actions)

    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(env._simulator, "adopt", interrupt)
        with pytest.raises(KeyboardInterrupt):
            env.reset(seed=1) if during == "reset" else env.step(actions)
    with pytest.raises(RuntimeError, match="reset"):
        env.step(actions)
    env.reset(seed=1)
    env.step(actions)


def test_threads_end_with_their_environment() -> None:
    before = set(threading.enumerate())
    closed, forgotten = (OffloadingVectorEnv(4, "toy", num_threads=2) for _ in range(2))
    for env in (closed, forgotten):
        env.reset(seed=0)
        env.step(np.zeros((4, 2), np.int64))
    assert len(started_since(before)) == 2
    closed.close()
    assert len(started_since(before)) == 1
    del forgotten, env
    gc.collect()
    wait_for(lambda: not started_since(before))
    closed.reset(seed=0)
    closed.close()


def started_since(before: set[threading.Thread]) -> set[threading.Thread]:
    return set(threading.enumerate()) - before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own() -> None:
    env = OffloadingVectorEnv(4, num_threads=2)
    env.reset(seed=0)
    twin = pickle.loads(pickle.dumps(env))
    actions = np.zeros((4, 2), np.int64)
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()
    child = context.Process(
        target=lambda: theirs.send((total_reward(env, actions), threading.active_count()))
    )
    child.start()
    assert mine.poll(PATIENCE_SECONDS)
    rewards, threads_of_child = mine.recv()
    np.testing.assert_array_equal(rewards, total_reward(twin, actions))
    assert threads_of_child == 2
    child.join()
    env.close()
    twin.close()


def total_reward(env: OffloadingVectorEnv, actions: np.ndarray) -> np.ndarray:
    return np.asarray(sum(env.step(actions)[1] for _ in range(30)))


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.scenario not in (*LARGE, "mnist")], ids=str
)
def test_a_used_environment_begins_like_a_fresh_one(case: Case) -> None:
    """Nothing of the episode before is left, whatever was under way when it was broken off."""
    used, fresh = (VECTOR[case.id](2, case.scenario) for _ in range(2))
    used.reset(seed=1)
    used.action_space.seed(0)
    for _ in range(9):
        used.step(used.action_space.sample())
    used.reset(seed=7)
    fresh.reset(seed=7)
    for _ in range(40):
        actions = used.action_space.sample()
        mine, theirs = used.step(actions), fresh.step(actions)
        for key, entry in mine[0].items():
            np.testing.assert_array_equal(entry, theirs[0][key], err_msg=key)
        np.testing.assert_array_equal(mine[1], theirs[1])
        for name in ("energy_j", "dropped_picks"):
            np.testing.assert_array_equal(mine[4][name], theirs[4][name], err_msg=name)


@device
def twice(x: float) -> float:
    return 2.0 * x


@lean_kernel
def twice_plus(x: float, more: np.ndarray) -> float:
    total: float = twice(x) + more[0]
    return total


def test_an_entry_calls_what_the_first_call_compiled() -> None:
    entry = Entry(twice_plus)
    more = np.ones(1)
    assert [entry(float(x), more) for x in range(3)] == [1.0, 3.0, 5.0]
    assert entry._direct is not None
    twin = pickle.loads(pickle.dumps(entry))
    assert twin._direct is None
    assert twin(4.0, more) == 9.0


def test_a_pickled_environment_runs_the_code_of_where_it_is_loaded() -> None:
    """A pickle that held the machine's code, or its source, would outlive a change of it."""
    env = OffloadingVectorEnv(2, "toy")
    env.reset(seed=0)
    code = (
        "import pickle, sys; from mec_moe_env.offloading.step import advance; "
        "env = pickle.load(sys.stdin.buffer); "
        "print(env._simulator._advance._dispatcher is advance)"
    )
    data = pickle.dumps(env)
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout.strip() == b"True"
    assert len(data) < 50_000


def test_python_calls_device_functions_by_a_kernel_of_their_own() -> None:
    assert twice(4.0) == 8.0
    assert twice.__name__ == "twice"


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until another thread has done something; give up in the end."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(1e-3)
