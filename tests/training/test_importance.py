"""Searching for layer importance: the stand-in environment, the search, the choice, the study."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mec_moe_agents import evaluate, make_agent
from mec_moe_agents.cli import app
from mec_moe_agents.dmoe.learned import Match, ScheduleFamily
from mec_moe_agents.reproduce import importance as study
from mec_moe_agents.training import importance as learning
from mec_moe_agents.training.importance import (
    ImportanceEnvironment,
    Outcome,
    Record,
    Schedule,
    choose_match,
    front,
    neighbours,
    record,
    record_prices,
    search_front,
)
from typer.testing import CliRunner

from mec_moe_env import DMOE_PRESETS, DMoEVectorEnv
from mec_moe_env.moe import embed
from mec_moe_env.tasks.images import load_digits_split

DIGITS = DMOE_PRESETS["digits-moe"]
TRAINING = range(2**31, 2**31 + 40)


WRITTEN = {
    *("run.json", "summary.json"),
    *(f"importance.{kind}" for kind in ("csv", "png", "svg", "pdf")),
}
"""What every study leaves behind."""


def test_the_stand_in_costs_what_the_environment_costs() -> None:
    """With as many subcarriers as links like, LB and JESA are the same to a few per mille."""
    stand_in = ImportanceEnvironment(DIGITS, TRAINING)
    for importance in ((0.7, 0.5, 0.3, 0.2), (0.4, 0.0, 0.2, 0.0)):
        real = evaluate("jesa", DIGITS, TRAINING, options={"importance": importance}).metrics
        searched = stand_in.run(importance)
        assert searched.joules == pytest.approx(real["energy_per_token_j"].mean(), rel=0.03)
        assert searched.accuracy == pytest.approx(real["accuracy"].mean(), abs=0.03)


def test_the_stand_in_repeats_and_refuses_evaluation_seeds() -> None:
    first, again = (ImportanceEnvironment(DIGITS, TRAINING[:5]).run((0.5,) * 4) for _ in range(2))
    assert first == again != ImportanceEnvironment(DIGITS, TRAINING[5:10]).run((0.5,) * 4)
    assert ImportanceEnvironment(DIGITS, TRAINING[:5]).run((0.0,) * 4).joules == 0.0
    with pytest.raises(ValueError, match="seed = 100000"):
        ImportanceEnvironment(DIGITS, [100_000])


@pytest.mark.parametrize("images", ["heldout", "train"])
def test_the_stand_in_shows_the_images_that_it_names(
    images: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[np.ndarray] = []

    def spy(weights: Any, pixels: np.ndarray) -> np.ndarray:
        shown.append(pixels)
        return embed(weights, pixels)

    monkeypatch.setattr("mec_moe_agents.training.importance.moe.embed", spy)
    ImportanceEnvironment(DIGITS, TRAINING[:3], images)
    known = {image.tobytes() for image in getattr(load_digits_split(), images)}
    assert len(shown[0]) == 3 * 32
    assert {image.tobytes() for image in shown[0]} <= known


def test_records_are_of_the_environment() -> None:
    """Energy and loss by hand from the infos; a guess among ten digits loses ln 10."""
    seeds, importance = TRAINING[:6], (0.6, 0.3, 0.0, 0.0)
    found = record(DIGITS, importance, seeds)
    env = DMoEVectorEnv(len(seeds), DIGITS)
    jesa = make_agent("jesa", env, importance=importance)
    seen, _ = env.reset(seed=list(seeds))
    joules, spent = np.zeros(len(seeds)), np.zeros(len(seeds))
    for _ in range(DIGITS.num_layers):
        seen, _, _, _, info = env.step(jesa.predict(seen)[0])
        joules += info["energy_j"] / 32
        spent -= info["reward_energy"]
    np.testing.assert_allclose(found.joules, joules)
    np.testing.assert_allclose(found.spent, spent)
    np.testing.assert_allclose(found.loss, -info["reward_error"] * np.log(10))
    np.testing.assert_array_equal(found.accuracy, info["accuracy"])
    assert found.outcome == (found.joules.mean(), found.loss.mean(), found.accuracy.mean())
    with pytest.raises(ValueError, match="seed = 100000"):
        record(DIGITS, importance, [100_000])


def record_of(joules: float, *accuracy: float) -> Record:
    return Record(np.full(4, joules), np.zeros(4), np.zeros(4), np.array(accuracy))


def test_the_choice_by_hand() -> None:
    """The cheapest that leads surely; a lead of luck, and a cheap loser, do not count."""
    jesa = record_of(9.0, 0.5, 0.7, 0.5, 0.7)
    worse = record_of(1.0, 0.5, 0.6, 0.5, 0.6)
    lucky = record_of(2.0, 0.5, 0.7, 0.5, 0.8)
    surely = record_of(3.0, 0.6, 0.8, 0.6, 0.9)
    dear = record_of(4.0, 0.9, 0.9, 0.9, 0.9)
    candidates: dict[Schedule, Record] = {
        (0.1,): worse,
        (0.2,): lucky,
        (0.3,): surely,
        (0.4,): dear,
    }
    chosen = choose_match(0.5, jesa, candidates)
    assert (chosen.hand_set, chosen.importance) == (0.5, (0.3,))
    assert chosen.gain == pytest.approx(0.125)
    # The differences 0.1, 0.1, 0.1, 0.2 spread by 0.05.
    assert chosen.margin == pytest.approx(2 * 0.05 / 2)
    nearest = choose_match(0.5, jesa, {(0.1,): worse, (0.2,): lucky})
    assert nearest.importance == (0.2,)
    assert nearest.gain < nearest.margin


def test_prices_are_those_of_the_best_subcarrier() -> None:
    """By hand on one link: computation there, and sending at the highest rate."""
    prices = record_prices(DIGITS, [2**31])
    assert prices.shape == (4, 32, 8)
    assert (prices[:, 0, 0] == prices[0, 0, 0]).all()  # in situ: computation only
    from mec_moe_env import DMoEEnv

    seen, _ = DMoEEnv(DIGITS).reset(seed=2**31)
    efficiency = seen["spectral_efficiency"].reshape(8, 8, 64)[1, 5].max()
    sending = DIGITS.power_w * DIGITS.state_bits / (DIGITS.bandwidth_hz * efficiency)
    # Source 1 holds tokens 4 to 7.
    np.testing.assert_allclose(prices[0, 4:8, 5], seen["compute_energy"][5] + sending, rtol=1e-6)


def test_the_front_by_hand() -> None:
    found: dict[Schedule, Outcome] = {
        (0.0,): Outcome(0.0, 5.0, 0.1),
        (0.1,): Outcome(1.0, 3.0, 0.2),
        (0.2,): Outcome(1.001, 2.0, 0.2),
        (0.3,): Outcome(2.0, 2.5, 0.1),
        (0.4,): Outcome(3.0, 1.0, 0.3),
        (0.5,): Outcome(4.0, 1.5, 0.4),
        (0.6,): Outcome(5.0, 0.5, 0.3),
    }
    # 0.2 lies beside 0.1 and loses less; 0.3 costs more than that and is worse both ways; 0.5 is
    # more often right, and 0.6 loses less, than anything cheaper.
    assert front(found) == [(0.0,), (0.1,), (0.2,), (0.4,), (0.5,), (0.6,)]
    assert neighbours((0.0, 0.95), 0.1) == [(0.0, 0.95), (0.1, 0.95), (0.0, 0.85), (0.0, 1.0)]


def test_the_search_finds_a_known_front() -> None:
    """Energy x + y and loss (1 − x)² + 4(1 − y)²: y comes first, then x."""

    def evaluator(schedule: Schedule) -> Outcome:
        x, y = schedule
        return Outcome(x + y, (1 - x) ** 2 + 4 * (1 - y) ** 2, 0.5)

    found = search_front(2, evaluator, evaluator, grid=(0.0, 0.5, 1.0))
    assert len(found) > 10
    for x, y in found:
        # Up to y = 3/4 alone; from there on 1 − x = 4(1 − y), where both gain alike.
        assert x == 0.0 or y == pytest.approx((3 + x) / 4, abs=0.06)


def test_learning_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "ROUGH_EPISODES", 2)
    monkeypatch.setattr(learning, "FINE_EPISODES", 4)
    monkeypatch.setattr(learning, "RECORD_EPISODES", 6)
    monkeypatch.setattr(learning, "ROUNDS", 1)
    monkeypatch.setattr(learning, "HAND_SET", (0.5, 1.0))
    defaults: Any = search_front.__defaults__
    monkeypatch.setattr(search_front, "__defaults__", ((0.0, 0.4, 0.8), defaults[1][:1]))
    arguments = ["learn-importance", "--out", str(tmp_path), "--seeds", "2"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "energy saved on γ0 = 0.50" in result.output
    assert "share the 540 held-out images" in result.output
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"digits_moe.json", *WRITTEN}
    learned = ScheduleFamily.load(tmp_path / "digits_moe.json", 4)
    assert len(learned.schedules) > 3
    assert [each.hand_set for each in learned.matches] == [0.5, 1.0]
    assert {each.importance for each in learned.matches} <= {
        each.importance for each in learned.schedules
    }
    lines = (tmp_path / "importance.csv").read_text().splitlines()
    assert len(lines) == 1 + 2 * 2 * 2


def test_the_shipped_schedules_are_judged_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "RECORD_EPISODES", 6)
    result = CliRunner().invoke(
        app, ["learn-importance", "--shipped", "--out", str(tmp_path), "--seeds", "2"]
    )
    assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == WRITTEN


def test_training_seeds_are_not_for_judging() -> None:
    with pytest.raises(ValueError, match="2147483648"):
        study.compare_matches([Match(0.5, (0.0,) * 4, 0.0, 0.0)], [2**31])
