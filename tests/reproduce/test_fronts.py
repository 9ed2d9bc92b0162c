"""Weights swept: mixes, reference points, hypervolumes, and the command."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mec_moe_agents import make_agent
from mec_moe_agents.cli import app
from mec_moe_agents.reproduce.fronts import (
    ALL,
    CONFIGURED,
    Mix,
    Reached,
    Trades,
    headlines,
    mixes,
    sweep,
)
from mec_moe_agents.reproduce.fronts_figure import draw
from typer.testing import CliRunner, Result

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS
from mec_moe_env.multiobjective import MOOffloadingVectorEnv

TOY = OFFLOADING_PRESETS["toy"]
"""Weights 1, 1 and 0.5."""
IDLE = [-10.0, 0.0, 0.0]


def mec_moe(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def trades(points: Mapping[str, Any], config: Any = TOY, **fields: Any) -> Trades:
    """Make schedulers of two episodes each; who is called `oracle` is no contender."""
    names = {"reject-all": [[IDLE], [IDLE]], **points}
    reached = [
        Reached(name, name != "oracle", mixes(TOY, 1)[: len(each[0])], np.array(each))
        for name, each in names.items()
    ]
    return Trades(config, range(2), reached, **fields)


def test_mixes_share_out_the_configured_weights() -> None:
    found = {mix.name: mix.config.reward_weights.tolist() for mix in mixes(TOY, 2)}
    assert found == {
        CONFIGURED: [1.0, 1.0, 0.5],
        "1 0 0": [3.0, 0.0, 0.0],
        "0.5 0.5 0": [1.5, 1.5, 0.0],
        "0.5 0 0.5": [1.5, 0.0, 0.75],
        "0 1 0": [0.0, 3.0, 0.0],
        "0 0.5 0.5": [0.0, 1.5, 0.75],
        "0 0 1": [0.0, 0.0, 1.5],
    }
    assert len(mixes(TOY, 3)) == 10  # equal shares are the configured weights
    assert len(mixes(DMOE_PRESETS["toy"], 3)) == 5
    assert mixes(TOY, 2)[0].config is TOY


def test_weights_that_cannot_be_swept_are_named() -> None:
    with pytest.raises(ValueError, match="energy_weight = 0.0 is not allowed"):
        mixes(OFFLOADING_PRESETS["continual"], 3)
    with pytest.raises(ValueError, match="weights = 0 is not allowed"):
        mixes(TOY, 0)


def test_the_reference_is_where_a_term_alone_costs_what_idling_costs() -> None:
    found = trades({"guard": [[[0.0, -1.0, -2.0]]] * 2})
    assert found.reference.tolist() == [-10.0, -10.0, -20.0]
    assert found.volume("reject-all") == (0.0, 0.0, 0.0)
    assert found.volume("guard").mean == pytest.approx(1.0 * 0.9 * 0.9)
    dear = trades({}, TOY.override(error_weight=3.0))
    assert dear.reference.tolist() == [-10.0, -30.0, -60.0]
    fixed = trades({"guard": [[[-1.0, -1.0, -1.0]]] * 2}, given=np.array([-2.0, -2.0, -2.0]))
    assert fixed.volume("guard").mean == pytest.approx(1 / 8)
    assert fixed.volume("reject-all").mean == 0.0


def test_hypervolumes_by_hand() -> None:
    """Half of the box each in another way, and together all of that."""
    found = trades({
        "thrifty": [[[-5.0, 0.0, 0.0]], [[-5.0, 0.0, 0.0]]],
        "exact": [[[0.0, -4.0, 0.0]], [[0.0, -6.0, 0.0]]],
        "worse": [[[-6.0, -1.0, 0.0]], [[-6.0, -1.0, 0.0]]],
        "oracle": [[[0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0]]],
    })  # fmt: skip
    assert found.volume("thrifty").mean == pytest.approx(0.5)
    assert found.volume("exact").mean == pytest.approx(0.5)
    assert found.volume("worse").mean == pytest.approx(0.4 * 0.9)
    assert found.volume("oracle").mean == 1.0
    assert found.volume(ALL).mean == pytest.approx(0.75)
    assert found.best == "thrifty"
    assert found.behind("worse").mean == pytest.approx(0.14)
    assert found.front.tolist() == [IDLE, [-5.0, 0.0, 0.0], [0.0, -5.0, 0.0]][1:]
    low, high = found.volume("exact")[1:]
    assert 0.4 <= low < 0.5 < high <= 0.6
    assert found.behind("worse")[1:] == pytest.approx((0.14, 0.14))
    on_front = {row["agent"] for row in found.rows if row["on_front"]}
    assert on_front == {"thrifty", "exact"}


def test_distances_are_paired_by_seed() -> None:
    """What is lucky on one seed is so for both: twins are never apart, however they vary."""
    lucky = [[[-1.0, -1.0, 0.0]], [[-7.0, -1.0, 0.0]]]
    found = trades({"guard": lucky, "twin": lucky})
    assert found.volume("twin").low < found.volume("twin").high
    assert found.behind("twin") == (0.0, 0.0, 0.0)


def test_a_scheduler_is_judged_by_all_its_mixes() -> None:
    two = [[-5.0, 0.0, 0.0], [0.0, -5.0, 0.0]]
    found = trades({"flexible": [two, two], "stubborn": [two[:1], two[:1]]})
    assert found.volume("flexible").mean == pytest.approx(0.75)
    assert found.behind("stubborn").mean == pytest.approx(0.25)
    labels = [line.label for line in headlines(found)]
    assert labels[:3] == [f"reference point: {term}" for term in found.terms]
    assert "hypervolume: stubborn behind flexible" in labels
    figure = draw(found, "made up")
    assert [axes.get_xlabel() for axes in figure.axes[:2]] == [
        "Energy of an episode (J)",
        "Delay of an episode (slots)",
    ]


def test_the_idle_takes_part_and_who_cannot_act_does_not() -> None:
    """`learned` has no weights for other weightings."""
    asked: list[tuple[str, list[str]]] = []

    def run(mix: Mix, agents: Any) -> Mapping[str, Any]:
        asked.append((mix.name, list(agents)))
        terms = OFFLOADING_PRESETS["default"].outcomes.terms
        episodes = type("Episodes", (), {"metrics": {term: np.full(2, -1.0) for term in terms}})
        return dict.fromkeys(agents, episodes)

    found = sweep(OFFLOADING_PRESETS["default"], ["learned"], range(2), 1, run)
    assert asked[0] == (CONFIGURED, ["learned", "reject-all"])
    assert all(agents == ["reject-all"] for _, agents in asked[1:])
    assert [len(each.mixes) for each in found.reached] == [1, 4]


def test_from_the_command_line(tmp_path: Path) -> None:
    command = ("pareto", "--scenario", "toy", "--weights", 1, "--agents", "guard,greedy-oracle",
               "--seeds", 2, "--out", tmp_path)  # fmt: skip
    result = mec_moe(*command)
    assert result.exit_code == 0, result.output
    assert "(error -10, energy -10, delay -20)" in " ".join(result.stdout.split())
    assert {path.name for path in tmp_path.iterdir()} == {
        *("pareto.png", "pareto.svg", "pareto.pdf", "pareto.csv"),
        *("summary.json", "run.json", "cells"),
    }
    with (tmp_path / "pareto.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * 4 * 2
    assert json.loads(rows[0]["config"]) == json.loads(json.dumps(TOY.to_dict()))
    assert {row["on_front"] for row in rows if row["agent"] == "greedy-oracle"} == {"False"}

    env = MOOffloadingVectorEnv(2, "toy")
    observation, _ = env.reset(seed=[100_000, 100_001])
    agent, state, total = make_agent("guard", env), None, np.zeros((2, 3))
    for slot in range(4):
        action, state = agent.predict(observation, state, np.full(2, slot == 0))
        observation, reward, *_ = env.step(action)
        total += reward
    played = [[float(row[term]) for term in env.objectives] for row in rows[:2]]
    assert played == total.tolist()

    assert mec_moe(*command).exit_code == 0  # found again, not refused
    other = mec_moe(*command, "--set", "horizon=3")
    assert "horizon = 4 there, 3 here" in other.stderr
    report = mec_moe("report", tmp_path)
    assert report.exit_code == 0, report.output
    assert "hypervolume: exact front" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--agents", "guard"), "--agents needs --weights"),
        (("--reference", "-1,-1,-1"), "--reference needs --weights"),
        (("--weights", 3, "--reference", "-1,x"), "--reference expects numbers with commas"),
        (("--weights", 3, "--reference", "-1,-1"), "reference = (-1.0, -1.0) is not allowed"),
        (("--weights", 3, "--reference", "-1,0,-1"), "must be 3 numbers below 0"),
        (("--weights", 3, "--agents", "gaurd"), "did you mean 'guard'"),
        (("--weights", 99), "weights = 99 is not allowed"),
        (("--weights", 3, "--set", "delay_weight=0"), "delay_weight = 0 is not allowed"),
    ],
)
def test_wrong_use_is_named(arguments: tuple[object, ...], message: str, tmp_path: Path) -> None:
    result = mec_moe("pareto", "--scenario", "toy", "--out", tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "out").exists()
