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
from hypothesis import given, settings
from hypothesis import strategies as st

from mec_moe_env import OffloadingVectorEnv
from mec_moe_env.claims import END, NEXT, SIZE, Crew, claim, linger, mark_done, ring
from mec_moe_env.core.kernels import Entry, inlined, lean
from mec_moe_env.orders import IGNORE, LOOK, NOTHING_DUE, START, STEP, due_row
from mec_moe_env.threads import Threads
from tests.environments.catalogue import CASES, LARGE, VECTOR, Case

PATIENCE_SECONDS = 300.0


@lean
def visit(crew: Crew, thread: int, most: int, visits: np.ndarray) -> None:
    """Count a visit of every sub-environment that this thread claims."""
    ring(crew, thread)
    for _ in range(most):
        first, last = claim(crew, thread)
        if first == last:
            break
        for i in range(first, last):
            visits[thread, i] += 1
        mark_done(crew, thread, last - first)
    linger(crew, thread)


@lean
def take(crew: Crew, thread: int) -> int:
    """Claim sub-environments and do nothing with them."""
    first, last = claim(crew, thread)
    return last - first


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 200), st.integers(1, 7))
def test_every_sub_environment_is_visited_once(num_envs: int, num_threads: int) -> None:
    threads = Threads(num_envs, num_threads)
    visits = np.zeros((num_threads, num_envs), np.int64)
    for _ in range(5):
        threads.run(lambda crew, thread, most: visit(crew, thread, most, visits))
    threads.close()
    np.testing.assert_array_equal(visits.sum(axis=0), 5)


def test_results_are_there_when_a_run_returns() -> None:
    """Far more runs than a race would survive, each one checked before the next."""
    threads, num_envs = Threads(64, 3), 64
    visits = np.zeros((3, num_envs), np.int64)
    for run in range(1, 3001):
        threads.run(lambda crew, thread, most: visit(crew, thread, most, visits))
        assert visits.sum() == run * num_envs
    threads.close()


def test_claims_are_indivisible() -> None:
    """Two threads that claim one at a time, and do next to nothing with it, from one region."""
    num_envs, most_runs = 100_000, 400
    threads = Threads(num_envs, 2)
    threads._claims[:, SIZE] = 1
    threads._claims[0, END], threads._claims[1, NEXT] = num_envs, num_envs
    visits = np.zeros((2, num_envs), np.int64)
    runs: list[int] = []

    def race() -> None:
        while len(runs) < most_runs and visits[1].sum() < 2 * num_envs:
            threads.run(lambda crew, thread, most: visit(crew, thread, most, visits))
            runs.append(len(runs))

    # What is claimed twice or never would keep a run from ending.
    racing = threading.Thread(target=race, daemon=True)
    racing.start()
    racing.join(PATIENCE_SECONDS)
    assert not racing.is_alive()
    threads.close()
    np.testing.assert_array_equal(visits.sum(axis=0), len(runs))


def test_a_helper_that_is_late_is_not_waited_for() -> None:
    threads, go_on = Threads(4, 2), threading.Event()
    visits = np.zeros((2, 4), np.int64)
    late: list[np.ndarray] = []

    def work(crew: Crew, thread: int, most: int) -> None:
        if thread == 1:
            assert go_on.wait(PATIENCE_SECONDS)
        visit(crew, thread, most, visits)
        if thread == 1:
            late.append(visits[1].copy())

    threads.run(work)
    assert visits[0].tolist() == [1] * 4
    go_on.set()
    wait_for(lambda: len(late) == 1)
    assert late[0].tolist() == [0] * 4
    threads.close()


def test_an_error_in_a_helper_reaches_the_caller() -> None:
    threads = Threads(4, 2)
    visits = np.zeros((2, 4), np.int64)

    def work(crew: Crew, thread: int, most: int) -> None:
        if thread == 1:
            take(crew, thread)
            raise ArithmeticError("in a helper")
        wait_for(lambda: crew.claims[1, NEXT] > crew.claims[0, END])
        visit(crew, thread, most, visits)

    with pytest.raises(ArithmeticError, match="in a helper"):
        threads.run(work)
    threads.run(lambda crew, thread, most: visit(crew, thread, most, visits))
    threads.close()


def test_an_error_of_the_caller_ends_the_call() -> None:
    """The caller has claimed what nobody will do; helpers are through before the next call."""
    threads = Threads(40, 2)
    visits = np.zeros((2, 40), np.int64)

    def work(crew: Crew, thread: int, most: int) -> None:
        if thread == 0:
            take(crew, thread)
            raise ArithmeticError("in the caller")
        visit(crew, thread, most, visits)

    for _ in range(20):
        with pytest.raises(ArithmeticError, match="in the caller"):
            threads.run(work)
        before = visits.sum()
        threads.run(lambda crew, thread, most: visit(crew, thread, most, visits))
        assert visits.sum() == before + 40
    threads.close()


def test_helpers_of_an_interrupted_call_are_waited_for() -> None:
    threads, begun, go_on = Threads(4, 2), threading.Event(), threading.Event()
    log: list[str] = []

    def work(crew: Crew, thread: int, most: int) -> None:
        if thread == 1:
            begun.set()
            assert go_on.wait(PATIENCE_SECONDS)
            log.append("old")

    def interrupt() -> None:
        assert begun.wait(PATIENCE_SECONDS)
        threading.Timer(0.05, go_on.set).start()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        threads.run(work, interrupt)
    log.append("returned")
    assert log == ["old", "returned"]
    threads.close()


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
        patch.setattr(env._offloading, "adopt", interrupt)
        with pytest.raises(KeyboardInterrupt):
            env.reset(seed=1) if during == "reset" else env.step(actions)
    with pytest.raises(RuntimeError, match="reset"):
        env.step(actions)
    env.reset(seed=1)
    env.step(actions)


def test_python_names_results_meanwhile() -> None:
    for count in (1, 3):
        threads, named = Threads(8, count), []
        visits = np.zeros((count, 8), np.int64)
        threads.run(
            lambda crew, thread, most, visits=visits: visit(crew, thread, most, visits),  # type: ignore[misc]
            lambda named=named: named.append(1),  # type: ignore[misc]
        )
        assert named == [1]
        threads.close()


def test_threads_end_with_their_environment() -> None:
    before = set(threading.enumerate())
    closed, forgotten = (OffloadingVectorEnv(4, "toy", num_threads=3) for _ in range(2))
    for env in (closed, forgotten):
        env.reset(seed=0)
    assert len(started_since(before)) == 4
    closed.close()
    wait_for(lambda: len(started_since(before)) == 2)
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
    return np.sum([env.step(actions)[1] for _ in range(30)], axis=0)


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


@pytest.mark.parametrize(
    ("order", "cursor", "row"),
    [
        (START, 3, 0),
        (STEP, 0, NOTHING_DUE),
        (STEP, 3, 4),  # the last slot of the first of two blocks of four
        (STEP, 7, 0),
        (LOOK, 3, NOTHING_DUE),
        (IGNORE, 3, NOTHING_DUE),
    ],
)
def test_blocks_are_drawn_when_the_one_before_is_used_up(order: int, cursor: int, row: int) -> None:
    assert due_row(order, cursor, 4) == row


@inlined
def twice(x: float) -> float:
    return 2.0 * x


@lean
def twice_plus(x: float, more: np.ndarray) -> float:
    return twice(x) + more[0]


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
        "import pickle, sys; from mec_moe_env.offloading.advance import advance; "
        "env = pickle.load(sys.stdin.buffer); "
        "print(env._offloading._advance._dispatcher is advance)"
    )
    data = pickle.dumps(env)
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout.strip() == b"True"
    assert len(data) < 50_000


def test_python_interprets_what_is_compiled_into_others_only() -> None:
    assert twice(4.0) == 8.0
    assert twice.__name__ == "twice"


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until another thread has done something; give up in the end."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(1e-3)
