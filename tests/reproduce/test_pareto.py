"""The front of energy against accuracy or violations."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from mec_moe_agents import make_agent
from mec_moe_agents.cli import app
from mec_moe_agents.dmoe.learned import learned_family
from mec_moe_agents.reproduce import pareto
from mec_moe_agents.reproduce.pareto import Choice, Point, Trade, choices
from typer.testing import CliRunner

from mec_moe_env import DMOE_PRESETS, DMoEConfig, DMoEEnv

TOY, DIGITS = DMOE_PRESETS["toy"], DMOE_PRESETS["digits-moe"]


def point(name: str, **means: float) -> Point:
    """Make a point of two episodes on both sides of each mean."""
    metrics = {measure: np.array([mean - 0.01, mean + 0.01]) for measure, mean in means.items()}
    return Point(Choice(name, "", name, {}), metrics)


def names(points: Sequence[Point]) -> list[str]:
    return [each.choice.family for each in points]


def test_the_front_by_hand() -> None:
    def made(name: str, joules: float, violated: float, shortfall: float, value: float) -> Point:
        measures = {"violated": violated, "shortfall": shortfall, "return": value}
        return point(name, energy_per_token_j=joules, **measures)

    points = [
        made("thrifty", 0.0, 1.0, 1.0, -8.0),
        made("dear", 3.0, 0.5, 0.2, -5.0),
        made("middle", 2.0, 0.5, 0.2, -4.0),
        made("twin", 2.0, 0.5, 0.2, -4.0),
        made("often but little", 2.5, 0.7, 0.1, -4.5),
        made("good", 4.0, 0.0, 0.0, -2.0),
    ]
    trade = Trade(TOY, [0, 1], points)
    assert trade.merits == ("violated", "shortfall")
    assert names(trade.front) == ["thrifty", "middle", "often but little", "good"]
    assert trade.best.choice.family == "good"
    assert [row["on_front"] for row in trade.rows[:4]] == [True, True, False, False]


def test_a_real_model_is_judged_by_its_accuracy() -> None:
    points = [
        point("thrifty", energy_per_token_j=1.0, accuracy=0.8, **{"return": -1.0}),
        point("worse", energy_per_token_j=2.0, accuracy=0.7, **{"return": -2.0}),
        point("good", energy_per_token_j=3.0, accuracy=0.9, **{"return": -3.0}),
    ]
    trade = Trade(DIGITS, [0, 1], points)
    assert trade.merits == ("accuracy",)
    assert names(trade.front) == ["thrifty", "good"]


@pytest.mark.parametrize(("config", "learned"), [(DMOE_PRESETS["massive"], False), (DIGITS, True)])
def test_every_family_takes_part(config: DMoEConfig, learned: bool) -> None:
    found = list(choices(config))
    count = {family: [each.family for each in found].count(family) for family in
             ("no-expert", "topk", "jesa", "homogeneous", "learned")}  # fmt: skip
    schedules = len(learned_family(DIGITS).schedules) if learned else 0
    assert list(count.values()) == [1, config.max_experts, 20, 20, schedules]
    assert len({(each.family, each.value) for each in found}) == len(found)


def test_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pareto, "GRID", (0.5, 1.0))
    arguments = ["pareto", "--scenario", "dmoe/toy", "--seeds", "2", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == {
        *("pareto.png", "pareto.svg", "pareto.pdf", "pareto.csv"),
        *("summary.json", "run.json"),
    }
    with (tmp_path / "pareto.csv").open() as file:
        rows = list(csv.DictReader(file))
    # Nobody; one expert, two; γ as configured, two values of γ0, two of z. Two seeds each.
    assert len(rows) == 2 * (1 + 2 + 1 + 2 + 2)
    nobody = next(row for row in rows if row["scheduler"] == "no-expert")
    assert float(nobody["violated"]) == 1.0
    assert float(nobody["return"]) == -4.0
    # By hand: 0.22 J serve both tokens in both layers, and no action costs less.
    cheapest = min(
        (row for row in rows if float(row["violated"]) == 0.0),
        key=lambda row: float(row["energy_per_token_j"]),
    )
    assert float(cheapest["energy_per_token_j"]) == pytest.approx(0.11)
    assert "no-expert" in result.output


def test_wrong_scenarios_are_named(tmp_path: Path) -> None:
    arguments = ["pareto", "--scenario", "papr", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "did you mean 'paper'?" in result.output


def test_top_k_takes_fewer_experts() -> None:
    env = DMoEEnv("paper")
    observation, _ = env.reset(seed=0)
    action, _ = make_agent("topk", env, experts=1).predict(observation)
    picks = action[: 8 * 4 * 2].reshape(8, 4, 2)
    gate = observation["gate"].reshape(8, 4, 8)
    np.testing.assert_array_equal(picks[..., 0], gate.argmax(axis=-1))
    assert (picks[..., 1] == 8).all()
    for experts in (0, 3):
        with pytest.raises(
            ValueError, match=f"experts = {experts} .* \\[1, 2\\] \\(max_experts\\)"
        ):
            make_agent("topk", env, experts=experts)
