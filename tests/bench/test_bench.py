"""The benchmark measures what it says; how fast things are is asserted nowhere."""

import dataclasses
import json
import sys
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mec_moe_agents.bench import case as playing
from mec_moe_agents.bench import floor
from mec_moe_agents.bench.case import Case, bytes_per_env, find_cases, per_call, round_steps
from mec_moe_agents.bench.floor import Draws, measure_floor, step_draws
from mec_moe_agents.bench.speed import MEMORY_LIMIT, Row, measure_case
from mec_moe_agents.cli import app
from mec_moe_agents.cli.bench import print_rows
from mec_moe_agents.evaluation.naming import presets
from rich.console import Console
from typer.testing import CliRunner

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS, DMoEConfig, OffloadingConfig
from mec_moe_env.core.simulator import LOOK, RESET, STEP, Orders
from mec_moe_env.offloading.simulator import OffloadingSimulator

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
stages: Any = import_module("stages")
sys.path.remove(str(BENCHMARKS))


@pytest.fixture
def grown(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the script that measures peers and growth."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("peers_and_growth")


class Clock:
    """Stands still unless moved."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (playing, stages):
        monkeypatch.setattr(module, "time", clock)
    return clock


def test_stopwatch_counts_what_it_times(clock: Clock) -> None:
    def work(seconds: float) -> None:
        clock.now += seconds

    watch = stages.Stopwatch()
    timed = watch.timed(work)
    timed(2.0)
    work(5.0)
    timed(3.0)
    assert watch.seconds == 5.0


def test_per_call_is_a_median(clock: Clock) -> None:
    durations = iter([1.0, 2.0, 50.0])

    def work() -> None:
        clock.now += next(durations)

    assert per_call(work, 0.0) == 2.0


def test_per_call_takes_its_time(clock: Clock) -> None:
    calls = []

    def work() -> None:
        calls.append(1)
        clock.now += 1.0

    per_call(work, 7.0)
    assert len(calls) == 7


def test_draws_of_default() -> None:
    """8·8 complex coefficients, 10·5 noisy features, and an episode's share."""
    draws = step_draws(OFFLOADING_PRESETS["default"])
    assert draws.normals == 2 * 64 + 50 + 2 * 4 * 10 / 200
    assert draws.exponentials == 0
    assert draws.uniforms == 4 + 11 + (4 * 8 + 2) / 200


def test_draws_of_memoryless_channels() -> None:
    endless = OffloadingConfig(doppler_hz=float("inf"), horizon=1 << 60)
    assert step_draws(endless)[:2] == (50, 64)
    paper = DMOE_PRESETS["paper"]
    assert step_draws(paper).normals == 2 * 8 * 8 * 64 + 8 * 4 * 8
    twice = DMoEConfig(doppler_hz=float("inf"), count_backward=True, gates="digits", num_nodes=8)
    assert step_draws(twice).exponentials == 2 * 8 * 8 * 16
    assert step_draws(OFFLOADING_PRESETS["toy"]) == Draws()


def test_floor_has_both_parts() -> None:
    measured = measure_floor(OFFLOADING_PRESETS["default"], 0.0)
    assert min(measured) > 0.0
    assert measured.total == measured.drawing + measured.writing


def test_floor_counts_numbers_and_entries(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """On a clock that a number moves by 1 and a written entry by 0.1."""

    def draw(rng: object, *counts: int) -> None:
        clock.now += sum(counts)

    def write(out: np.ndarray, source: np.ndarray) -> None:
        clock.now += 0.1 * len(out)

    monkeypatch.setattr(floor, "draw", draw)
    monkeypatch.setattr(np, "copyto", write)
    config = OFFLOADING_PRESETS["default"]
    measured = measure_floor(config, 0.0)
    assert measured.drawing == pytest.approx(sum(step_draws(config)), rel=1e-4)
    entries = 10 + 1 + 8 + 8 + 8 + 64 + 16 + 8 + 8 + 1
    assert measured.writing == pytest.approx(0.1 * entries)


def test_memory_of_the_channel() -> None:
    """A Gauss–Markov channel keeps M·M·S complex coefficients, in single precision."""
    sizes = [
        bytes_per_env(Case("", OffloadingConfig(num_servers=40, doppler_hz=doppler)))
        for doppler in (30.0, float("inf"))
    ]
    expected = 40 * 40 * 8 * 8
    assert sizes[0] - sizes[1] == pytest.approx(expected, rel=0.2)


def namesakes(preset: str) -> list[Case]:
    """Return the cases of this name in both environments."""
    return find_cases([name for name in (preset, f"dmoe/{preset}") if name in presets()])


@pytest.mark.parametrize("preset", ["default", "toy"])
def test_rows_of_both_environments(preset: str) -> None:
    for case in namesakes(preset):
        rows = list(measure_case(case, (1, 2), (1, 2), 0.0))
        assert [(row.form, row.num_envs, row.num_threads) for row in rows] == [
            ("scalar", 1, 1),
            ("vector", 1, 1),
            ("vector", 2, 1),
            ("vector", 2, 2),
        ]
        for row in rows:
            assert (row.step_ns or 0.0) > 0.0
            assert (row.ratio is None) == (preset == "toy")


@pytest.mark.parametrize("preset", ["default", "toy"])
def test_shares_add_up(preset: str) -> None:
    for case in namesakes(preset):
        shares = stages.stage_shares(case, 4, 0.0, round_steps(case.config.steps))
        assert tuple(shares) == stages.STAGES
        assert sum(shares.values()) == pytest.approx(1.0)
        assert min(shares.values()) >= 0.0


def test_stages_are_told_apart(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """The clock moves by 5 to reset, 1 to look, 7 to step, and 3 to draw a slot."""
    case, advance = find_cases(["default"])[0], OffloadingSimulator._call
    seconds = {RESET: 5.0, LOOK: 1.0, STEP: 7.0}

    def call(self: Any, orders: Orders, *arguments: Any) -> None:
        (order,) = set(orders.tolist())
        clock.now += seconds[order]
        advance(self, orders, *arguments)

    def draw(simulator: Any, slots: int) -> None:
        clock.now += 3.0 * slots

    monkeypatch.setattr(OffloadingSimulator, "_call", call)
    monkeypatch.setattr(stages, "draw_slots", draw)
    shares = stages.stage_shares(case, 4, 0.0, 201)
    cycle = 200 * 7.0 + 5.0
    expected = {"drawing": 600.0, "resetting": 5.0, "acting": 600.0, "observing": 200.0, "API": 0.0}
    assert shares == pytest.approx({name: expected[name] / cycle for name in stages.STAGES})


@pytest.mark.parametrize("preset", ["default", "digits"])
def test_what_is_drawn_alone_is_what_a_step_draws(preset: str) -> None:
    """Nothing that is done changes the next slot."""
    for case in namesakes(preset):
        stepped, drawn = case.vector(2), case.vector(2)
        for env in (stepped, drawn):
            env.reset(seed=3)
        for _ in range(2):
            stepped.step(np.zeros_like(stepped.action_space.sample()))
        stages.draw_slots(drawn._simulator, 2)
        efficiency = [env._simulator.exogenous.spectral_efficiency for env in (stepped, drawn)]
        np.testing.assert_array_equal(*efficiency)


def test_shares_are_medians_within_rounds() -> None:
    """A round at half the speed says the same as the others; one that was interrupted, nothing."""
    even = stages.Parts(total=10.0, compiled=9.0, resetting=1.0, drawing=4.0, observing=3.0)
    slow = stages.Parts(*(2.0 * part for part in even))
    interrupted = even._replace(total=90.0, compiled=89.0)
    shares = stages.shares_of([slow, interrupted, even])
    expected = {"drawing": 0.4, "resetting": 0.1, "acting": 0.1, "observing": 0.3, "API": 0.1}
    assert shares == pytest.approx(expected)


def test_differences_below_zero_are_noise() -> None:
    shares = stages.shares_of([stages.Parts(0.5, 0.6, 0.1, 0.2, 0.6)])
    assert shares["acting"] == shares["API"] == 0.0
    assert sum(shares.values()) == pytest.approx(1.0)


def test_what_is_too_large_is_skipped() -> None:
    case = find_cases(["toy"])[0]
    count = MEMORY_LIMIT // bytes_per_env(case) * 2
    *_, row = measure_case(case, (count,), (1,), 0.0)
    assert row.step_ns is None
    assert "GiB" in (row.skipped or "")


def test_what_takes_too_long_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mec_moe_agents.bench.speed.TIME_LIMIT", 1e-6)
    _, row = measure_case(find_cases(["default"])[0], (3,), (1,), 0.0)
    assert row.step_ns is None
    assert (row.skipped or "").endswith(" s")


@pytest.mark.parametrize(("episode", "steps"), [(4, 50), (60, 61), (200, 201), (3000, 201)])
def test_rounds_are_whole_episodes(episode: int, steps: int) -> None:
    assert round_steps(episode) == steps


@pytest.mark.parametrize(
    ("episode", "affordable", "steps"),
    [
        (4, 23, 20),  # whole episodes all the same
        (4, 3, 5),
        (3000, 90, 90),
        (3000, 5, 20),  # a fair share all the same
        (200, 1000, 201),
    ],
)
def test_rounds_that_are_cut(episode: int, affordable: float, steps: int) -> None:
    assert round_steps(episode, affordable) == steps


def test_growth(grown: Any) -> None:
    rows = list(grown.measure_scale(0.0, (8, 32)))
    sizes = [
        ("servers", 8, 16),
        ("servers", 32, 16),
        ("subcarriers", 16, 8),
        ("subcarriers", 16, 32),
    ]
    expected = [(channel, *size) for channel in ("memoryless", "fading") for size in sizes]
    assert [
        (row.channel, row.grows, row.num_servers, row.num_subcarriers) for row in rows
    ] == expected
    for row in rows:
        size = row.num_servers if row.grows == "servers" else row.num_subcarriers
        assert row.ns_each * size == pytest.approx(1e3 * row.step_us)
        assert row.ns_per_link > 0.0
    # A fading channel keeps M·M·S complex coefficients in single precision.
    kept = rows[5].reserved_mb - rows[1].reserved_mb
    assert kept == pytest.approx(32 * 32 * 16 * 8 / 1e6, rel=0.1)


def test_peers_that_are_installed(grown: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Peer = grown.Peer
    cartpoles = (Peer("CartPole", "gymnasium", "CartPole-v1", count) for count in (1, 4))
    monkeypatch.setattr(grown, "PEERS", (*cartpoles, Peer("none", "no_such_package", "none-v0")))
    rows = list(grown.measure_peers(0.0))
    assert [(row.name, row.num_envs) for row in rows] == [
        ("Offloading default", 1),
        ("Offloading default", 1024),
        ("CartPole", 1),
        ("CartPole", 4),
    ]
    assert all(row.steps_per_second > 0.0 for row in rows)


def test_tables_hold_every_row(grown: Any) -> None:
    scale = list(grown.measure_scale(0.0, (8,)))
    skipped = Row("case", "vector", 4096, 1, 10, 1.0, 1.0, skipped="9.2 GiB")
    peers = [
        grown.PeerRow(name, count, step, 1e9 / step)
        for name, count, step in (("ours", 1, 10.0), ("ours", 8, 1.0), ("peer", 1, 500.0))
    ]
    full = dataclasses.replace(
        skipped,
        num_envs=1024,
        skipped=None,
        step_ns=1234.0,
        steps_per_second=1_234_567.0,
        ratio=1.9,
        gain=1.98,
    )
    console = Console(width=80, record=True, file=StringIO())
    print_rows(console, [full, skipped])
    grown.print_peers(console, peers)
    grown.print_scale(console, scale)
    text = console.export_text()
    assert "50.00 ×" in text
    assert "500.00 ×" in text
    assert "Subcarriers grow, fading channel" in text
    assert "4,096 envs skipped: 9.2 GiB" in text
    (row,) = (line for line in text.splitlines() if line.strip().startswith("1,024"))
    assert row.split() == ["1,024", "1", "1,234,567", "1,234", "1.9", "1.98"]


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["bench", *arguments])


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = import_module("mec_moe_agents.cli.bench")
    monkeypatch.setattr(command, "QUICK_SIZE", 1)
    monkeypatch.setattr(command, "QUICK_SECONDS", 0.0)
    path = tmp_path / "bench.json"
    done = run("--scenario", "toy,dmoe/toy", "--quick", "--threads", "1", "--json", str(path))
    assert done.exit_code == 0
    assert "Offloading toy" in done.stdout
    assert "DMoE toy" in done.stdout
    document = json.loads(path.read_text())
    assert len(document["rows"]) == 2 * 2
    assert document["machine"]["cores"] >= 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["bench.json"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--scenario", "defualt"), 2, "default"),
        (("--scenario", "mnist"), 2, "needs files"),
        (("--threads", "0"), 2, "--threads '0'"),
        (("--json", "/nowhere/at/all.json"), 1, "no folder"),
    ],
)
def test_bad_requests(arguments: tuple[str, ...], code: int, message: str) -> None:
    done = run(*arguments)
    assert done.exit_code == code
    assert message in done.stderr
