"""The first paper's open questions: convergence by hand, and small runs of each study."""

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from mec_moe_agents import Episodes, evaluate, reproduce
from mec_moe_agents.cli import app
from mec_moe_agents.evaluation import drawing
from mec_moe_agents.reproduce import convergence, experts, least_servers, more_servers, nonlinear
from mec_moe_agents.reproduce.convergence import (
    Routing,
    Watched,
    converged_from,
    estimate_best,
    estimate_least,
    first_reached,
    strays,
    types_of,
)
from typer.testing import CliRunner, Result

from mec_moe_env import OffloadingConfig, foresight
from mec_moe_env.core.buffers import Flags
from mec_moe_env.theory import enough_experts


def flags(*episodes: str) -> Flags:
    """Return episodes whose tasks are at home where an `x` stands."""
    return np.array([[letter == "x" for letter in episode] for episode in episodes])


class Scripted:
    """Sends the tasks of two episodes to these servers, slot by slot; 2 is none."""

    def __init__(self, *servers: tuple[int, int]) -> None:
        self._servers = iter(servers)

    def predict(self, observation: Any, *rest: Any, **named: Any) -> tuple[Any, Any]:
        return np.array([[server, 0] for server in next(self._servers)]), None


def test_a_task_is_at_home_where_the_last_training_was_of_its_type() -> None:
    types = np.array([[0, 0, 1, 1, 0], [1, 1, 1, 1, 1]])
    agent = Scripted((0, 1), (0, 2), (0, 1), (0, 1), (1, 1))
    watched = Watched(agent, types, 2)
    # Server 1 of the second episode fails in its first training, and completes the second one.
    completed = [[0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 1], [1, 0, 0, 1]]
    for ended in completed:
        watched.predict({"completed": np.array(ended, np.float32).reshape(2, 2)})
    # Untrained; own type; overwrites type 0; own again; the other server is untrained.
    # Untrained; nowhere; untrained still, as the first training was lost; own; own.
    assert watched.at_home.tolist() == flags(".x.x.", "...xx").tolist()


def test_no_number_of_servers_changes_the_types() -> None:
    config = OffloadingConfig(num_servers=5, num_subcarriers=4, horizon=12, type_persistence=0.5)
    found = types_of(config, [3, 4])
    assert found.tolist() == [foresight(config, s).types[:, 0].tolist() for s in (3, 4)]


def test_tasks_astray_are_counted_in_windows() -> None:
    assert strays(flags("..x.xx"), 3).tolist() == [[2, 2, 1, 1]]
    with pytest.raises(ValueError, match=r"window = 7 is not allowed: 1\.\.6"):
        strays(flags("..x.xx"), 7)


def test_convergence_is_for_good() -> None:
    # Three in a row with at most one astray: from slot 1 on; in the second from slot 5 on, after
    # an early success; in the third only at first; in the fourth from the first slot on.
    episodes = flags("..xxxxxx", "xxx..xxx", "xxxxx...", "xxx.xxx.")
    assert converged_from(episodes, 3, 1 / 3)[[0, 1, 3]].tolist() == [1, 4, 0]
    assert math.isnan(converged_from(episodes, 3, 1 / 3)[2])
    assert first_reached(episodes, 3, 1 / 3).tolist() == [1, 0, 0, 0]
    assert converged_from(episodes, 3, 0.0)[:2].tolist() == [2, 5]
    assert np.isnan(first_reached(flags("........"), 3, 0.5)).all()


def test_the_least_number_of_servers() -> None:
    converged = np.zeros((10, 3), np.bool_)
    converged[:8, 0], converged[:9, 1], converged[:, 2] = True, True, True
    assert estimate_least((10, 20, 30), converged, 0.2).mean == 10
    assert estimate_least((10, 20, 30), converged, 0.1).mean == 20
    least = estimate_least((10, 20, 30), converged, 0.1)
    assert (least.low, least.high) == (10, 30)
    # All ten agree: so does every resample.
    assert estimate_least((30,), converged[:, 2:], 0.1) == (30, 30, 30)
    none = estimate_least((10,), np.zeros((10, 1), np.bool_), 0.1)
    assert np.isnan(none).all()


def test_the_best_number_of_servers() -> None:
    errors = np.array([[3.0, 1.0, 2.0], [4.0, 2.0, 3.0], [3.0, 1.5, 2.5]])
    assert estimate_best((10, 30, 70), errors) == (30, 30, 30)
    # The second seed decides whether 10 or 30 is better.
    low, high = estimate_best((10, 30), np.array([[0.0, 1.0], [3.0, 1.0]]))[1:]
    assert (low, high) == (10, 30)
    assert np.isnan(estimate_best((10, 30), np.array([[0.0, 1.0]])).low)


def test_the_formula_for_other_arrivals() -> None:
    # In windows of two: type 0 twice in two of three, type 1 once in one, type 2 never.
    types = np.array([[0, 0, 0, 1]])
    ln = -math.log(0.5)
    assert least_servers.counted_experts(types, 3, 2, 0.5) == pytest.approx((2 + 1 + 1) * ln)
    # Two of three windows have more than one task of type 0: no more than δ allows.
    assert least_servers.counted_experts(types, 2, 2, 0.67) == pytest.approx(-2 * math.log(0.67))
    uniform = np.random.default_rng(0).integers(10, size=(4, 2000))
    counted = least_servers.counted_experts(uniform, 10, 15, 0.1)
    assert counted == pytest.approx(enough_experts(10, 15, 0.1))


def test_conditions_name_what_they_change() -> None:
    by_name = {str(condition): condition.config for condition in least_servers.conditions()}
    assert len(by_name) == 6
    assert by_name["uniform, delays up to 5"] == least_servers.BASE
    assert by_name["bursts, delays up to 5"].type_persistence == 0.8
    assert by_name["uniform, failures"].failure_rate == 0.01


def made_up(at_home: Flags, errors: Sequence[float]) -> Routing:
    curve = np.tile(np.array(errors)[:, np.newaxis], (1, at_home.shape[1]))
    return Routing(Episodes(np.arange(len(errors)), {}, curve), at_home)


def test_the_first_question_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(least_servers, "WINDOW", 2)
    monkeypatch.setattr(least_servers, "SERVERS", {"gating": (10, 30), "profile": (10, 20)})
    never, always = (
        made_up(flags("....", "...."), [9.0, 9.0]),
        made_up(flags("xxxx", ".xxx"), [0, 0]),
    )
    condition = least_servers.conditions()[0]
    routings = {
        ("gating", 10): never,
        ("gating", 30): never,
        ("profile", 10): never,
        ("profile", 20): always,
    }
    found = least_servers.headlines({condition: routings}, {condition: (23.0, 28.0)})
    lines = {line.label.removeprefix(f"{condition}: "): line.estimate for line in found}
    assert lines["N·M_th·ln(1/δ)"].mean == 23.0
    assert math.isnan(lines["least M of gating, ≤ 20 % astray (none up to 30)"].mean)
    assert lines["least M of profile, ≤ 10 % astray"] == (20, 20, 20)


def test_the_second_question_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"WINDOW": 2, "SERVERS": (10, 20), "TIMES": (2, 4)}.items():
        monkeypatch.setattr(more_servers, name, value)
    better, worse = made_up(flags(".xxx", "..xx"), [1, 1.5]), made_up(flags("....", "...x"), [2, 3])
    found = {
        (router, servers): routing
        for router in more_servers.ROUTERS
        for servers, routing in ((10, better), (20, worse))
    }
    lines = {line.label: line for line in more_servers.headlines(found)}
    assert lines["gating: best M after 4 slots"].estimate == (10, 10, 10)
    difference = lines["gating: G, M = 20 − M = 10, after 2 slots"]
    assert difference.estimate.mean == pytest.approx(1.25)
    assert difference.holds
    assert lines["profile, M = 10: slot, converged for good (T: never)"].estimate.mean == 1.5
    assert lines["profile, M = 20: slot, converged for good (T: never)"].estimate.mean == 4


def test_the_third_question_is_answered() -> None:
    returns = {"linear": [-5.0, -6.0, -5.0], "mlp": [-3.0, -4.5, -3.0]}
    found = {}
    for name in nonlinear.SCENARIOS:
        for kind, values in returns.items():
            for router in nonlinear.ROUTERS:
                gain = np.array(values) + (router == "guard") * (1 - 4 * (kind == "mlp"))
                metrics = {"return": gain, "generalization_error": -gain}
                found[name, kind, router] = Episodes(np.arange(3), metrics, np.empty((3, 0)))
    lines = {line.label: line for line in nonlinear.headlines(found)}
    assert lines["digits, gating: error, linear − networks"].holds
    assert lines["teacher, guard: return, networks − linear"].holds is False
    assert lines["teacher, linear experts: best return, guard"].estimate.mean == pytest.approx(
        -13 / 3
    )
    assert lines["digits, networks: best generalization error, reject-all"].estimate.mean == 3.5


def questions(folder: Path, *more: str) -> Result:
    arguments = ["reproduce", "questions", "--seeds", "2", "--out", str(folder), *more]
    return CliRunner().invoke(app, arguments)


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make episodes of 4 to 16 slots, with few servers, the quickest routers, and PNGs alone."""
    monkeypatch.setattr(reproduce, "save_drawings", drawing.save_figure)
    for study in (least_servers, more_servers):
        monkeypatch.setattr(study, "WINDOW", 4)
    monkeypatch.setattr(least_servers, "SERVERS", {"gating": (3,), "profile": (3,)})
    names = ("delays up to 5", "failures")
    fewer = {name: least_servers.AVAILABILITY[name] for name in names}
    monkeypatch.setattr(least_servers, "AVAILABILITY", fewer)
    monkeypatch.setattr(more_servers, "SERVERS", (3, 4))
    monkeypatch.setattr(more_servers, "TIMES", (2, 4, 8))
    first, third = least_servers.scenario, experts.scenario
    monkeypatch.setattr(least_servers, "scenario", lambda *x: first(*x).override(horizon=16))
    monkeypatch.setattr(
        experts, "scenario", lambda _, kind: third("digits", kind).override(horizon=4)
    )
    monkeypatch.setattr(nonlinear, "ROUTERS", ("reject-all", "random", "gating"))


def test_the_command_answers_all_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)
    result = questions(tmp_path)
    assert result.exit_code == 0, result.output
    counts = {"q1": 4 * 2 * 2, "q2": 2 * 2 * 2, "q3": 2 * 2 * 3 * 2}
    for name, count in counts.items():
        with (tmp_path / f"{name}.csv").open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert len(rows) == count
        assert {row["seed"] for row in rows} == {"100000", "100001"}
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    record = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert record["seeds"]
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert [study["study"] for study in summary["studies"]] == list(counts)


def test_an_unknown_question_is_refused(tmp_path: Path) -> None:
    wrong = questions(tmp_path, "--only", "q4")
    assert wrong.exit_code == 2
    assert "unknown study 'q4'" in wrong.stderr
    assert list(tmp_path.iterdir()) == []


def test_watching_changes_nothing() -> None:
    config = OffloadingConfig(num_servers=6, horizon=40, failure_rate=0.05)
    seeds = [1, 2]
    watched = convergence.watch("profile", config, seeds, types_of(config, seeds))
    plain = evaluate("profile", config, seeds)
    np.testing.assert_array_equal(watched.episodes.curve, plain.curve)
    assert 0.2 < watched.at_home.mean() < 1.0
