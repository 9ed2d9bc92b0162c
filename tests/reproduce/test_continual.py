"""The first author's program: the compiled one does what a slow one does, and meets its figures."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from gymnasium.utils import seeding

pytest.importorskip("typer")
pytest.importorskip("matplotlib")

from mec_moe_agents.agent import UniformRows
from mec_moe_agents.cli import app
from mec_moe_agents.offloading.gating import GatingNetwork
from mec_moe_agents.offloading.routing import RoutingAgent
from mec_moe_agents.reproduce import continual
from typer.testing import CliRunner

from mec_moe_env import OFFLOADING_PRESETS, OffloadingVectorEnv, foresight
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import kernel
from mec_moe_env.core.rng import (
    TASKS,
    NormalScratch,
    Randomness,
    Streams,
    draw_normals,
    next_uniform,
    scratch_for,
)
from tests.reproduce.author_program import (
    CLUSTERS,
    K_SAMPLES,
    D,
    N,
    Program,
    R,
    make_pool,
    make_task,
)

CONFIG = OFFLOADING_PRESETS["continual"]
PER_TASK = R * (K_SAMPLES - 1) + D - R


@kernel
def take_normals(streams: Streams, scratch: NormalScratch, out: Floats) -> None:
    draw_normals(streams, TASKS, scratch, out.shape[0])
    for index in range(out.shape[0]):
        out[index] = scratch.normals[index]


@kernel
def take_uniforms(streams: Streams, out: Floats) -> None:
    for index in range(out.shape[0]):
        out[index] = next_uniform(streams, TASKS)


class Numbers:
    """The random numbers of an episode's tasks, in the order in which they are used."""

    def __init__(self, seed: int) -> None:
        randomness = Randomness(1)
        randomness.begin(np.zeros(1, np.int64), [seeding.np_random(seed)[0]])
        self._streams = randomness.streams[0]

    def normals(self, count: int) -> Floats:
        out = np.empty(count)
        take_normals(self._streams, scratch_for(count), out)
        return out

    def uniforms(self, count: int) -> Floats:
        out = np.empty(count)
        take_uniforms(self._streams, out)
        return out


def tasks_of(seed: int, types: list[int]) -> list[tuple[Floats, Floats, Floats]]:
    """Return truth, X and y of each task by the slow program, from the compiled one's numbers."""
    numbers, tasks = Numbers(seed), []
    pool = make_pool(numbers.normals(2 * N * R).reshape(2, N, R)[0])
    for n in types:
        normals = numbers.normals(PER_TASK)
        # β and jitter have no effect here; the last number says where the signal is.
        column = int(numbers.uniforms(1 + R + 1)[-1] * K_SAMPLES)
        noise = normals[: R * (K_SAMPLES - 1)].reshape(K_SAMPLES - 1, R)
        tasks.append((pool[n], *make_task(pool[n], noise, normals[noise.size :], column)))
    return tasks


@pytest.mark.parametrize("seed", range(3))
def test_tasks_are_those_of_the_slow_program(seed: int) -> None:
    future = foresight(CONFIG.override(horizon=60), seed)
    expected = tasks_of(seed, future.types[:, 0].tolist())
    for t, (truth, X, y) in enumerate(expected):
        np.testing.assert_allclose(future.linear[t, 0], truth, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(future.features[t, 0].T, X, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(future.labels[t, 0], y, rtol=1e-10, atol=1e-13)
    assert len(set(future.types.ravel())) == N > CLUSTERS


@pytest.mark.parametrize("servers", [1, 5, 20])
def test_experts_and_gate_are_those_of_the_slow_program(servers: int) -> None:
    seed, horizon = 11, 300
    config = continual.scenario(servers).override(horizon=horizon)
    future = foresight(config, seed)
    slow, noise = Program(servers), UniformRows([seed], servers)
    env = OffloadingVectorEnv(1, config)
    agent = RoutingAgent(config, GatingNetwork(config, seed=[seed], **continual.options(config)))
    observation, state = env.reset(seed=seed)[0], None
    for truth, X, y in tasks_of(seed, future.types[:, 0].tolist()):
        action, state = agent.predict(observation, state)
        theta = state.memory.theta[0]
        np.testing.assert_allclose(theta, slow.theta, rtol=1e-9, atol=1e-11)
        slow.theta[:] = theta  # or the last digits decide after a hundred rounds
        slow.play(truth, X, y, 0.3 * noise.draw()[0])
        assert action[0, 0] == slow.chosen[-1]
        assert state.memory.converged[0].tolist() == slow.flags.tolist()
        observation = env.step(action)[0]
        np.testing.assert_allclose(env.expert_models()[0], slow.models, rtol=1e-7, atol=1e-9)
        slow.models[:] = env.expert_models()[0]
    assert slow.flags.sum() >= min(servers, 3) - (servers == 1)
    curves = continual.play(config, [seed], future.linear[None, :, 0])
    assert curves.rounds[-1] == horizon
    assert curves.error[0, -1] == pytest.approx(slow.generalization_error, rel=1e-6)
    assert curves.forgetting[0, -1] == pytest.approx(slow.forgetting, rel=1e-6)


def test_metrics_by_hand() -> None:
    # Two tasks at distance 3 and 4 from their expert, learned at 1 and 4; a third, learned last.
    truths = np.array([[[3.0, 0.0], [0.0, 4.0], [2.0, 0.0]]])
    history = continual.History(truths, np.array([[0, 0, 1]]), np.array([[1.0, 4.0, 0.5]]))
    models = np.array([[[0.0, 0.0], [1.0, 0.0]]])
    error, forgetting = continual.judge(models, history, 3)
    assert error[0] == pytest.approx((3 + 4 + 1) / 4)
    assert forgetting[0] == pytest.approx((2 + 0) / 3)


def test_deviation_by_hand() -> None:
    ours = np.array([1.0, 3.0])  # mean 2, standard error 1
    assert continual.deviation(ours, 4.0, math.sqrt(3.0)) == pytest.approx(-1.0)


def test_figures_are_near_the_authors() -> None:
    seeds = range(200, 224)
    truths = np.stack(
        [foresight(CONFIG.override(horizon=500), seed).linear[:, 0] for seed in seeds]
    )
    theirs = continual.published()
    assert theirs.keys() == {(m, t) for m in continual.SERVERS for t in continual.ROUNDS}
    for servers in (1, 10):
        curves = continual.play(continual.scenario(servers).override(horizon=500), seeds, truths)
        cell = theirs[servers, 500]
        assert abs(continual.deviation(curves.error[:, -1], cell.error, cell.error_se)) < 3.5
        lost = continual.deviation(curves.forgetting[:, -1], cell.forgetting, cell.forgetting_se)
        assert abs(lost) < 3.5


def test_command_writes_rows_and_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = continual.scenario
    monkeypatch.setattr(continual, "scenario", lambda servers: plain(servers).override(horizon=30))
    monkeypatch.setattr(continual, "ROUNDS", (10, 30))
    cell = continual.Published(0.1, 0.01, 0.1, 0.01)
    monkeypatch.setattr(
        continual, "published", lambda: {(m, t): cell for m in continual.SERVERS for t in (10, 30)}
    )
    command = ["reproduce", "continual", "--seeds", "2", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "G, M = 20, t = 10: " in result.stdout
    with (tmp_path / "continual.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {(row["servers"], row["seed"]) for row in rows} == {
        (str(m), str(seed)) for m in continual.SERVERS for seed in (0, 1)
    }
    assert (tmp_path / "continual.png").read_bytes().startswith(b"\x89PNG")
