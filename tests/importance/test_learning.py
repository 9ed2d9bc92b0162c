"""Learning layer importance: the practice world, the search, and the study."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mec_moe_agents import evaluate
from mec_moe_agents.cli import app
from mec_moe_agents.importance import learn, search
from mec_moe_agents.importance.distortion import distorted
from mec_moe_agents.importance.family import LearnedSchedule, ScheduleFamily
from mec_moe_agents.importance.practice import Outcome, PracticeWorld, record_prices
from mec_moe_agents.importance.search import front, neighbours, search_front
from mec_moe_agents.reproduce import importance as study
from typer.testing import CliRunner

from mec_moe_env import DMOE_PRESETS
from mec_moe_env.tasks.digits import load_digits_split

DIGITS = DMOE_PRESETS["digits-moe"]
TRAINING = range(2**31, 2**31 + 40)


def test_practice_costs_what_the_environment_costs() -> None:
    """With as many subcarriers as links like, LB and JESA are the same to a few per mille."""
    world = PracticeWorld(DIGITS, TRAINING)
    for importance in ((0.7, 0.5, 0.3, 0.2), (0.4, 0.0, 0.2, 0.0)):
        real = evaluate("jesa", DIGITS, TRAINING, options={"importance": importance}).metrics
        practised = world.run(importance)
        assert practised.joules == pytest.approx(real["energy_per_token_j"].mean(), rel=0.03)
        assert practised.accuracy == pytest.approx(real["accuracy"].mean(), abs=0.03)


def test_practice_repeats_and_refuses_evaluation_seeds() -> None:
    first, again = (PracticeWorld(DIGITS, TRAINING[:5]).run((0.5,) * 4) for _ in range(2))
    assert first == again != PracticeWorld(DIGITS, TRAINING[5:10]).run((0.5,) * 4)
    assert PracticeWorld(DIGITS, TRAINING[:5]).run((0.0,) * 4).joules == 0.0
    with pytest.raises(ValueError, match="seed = 100000"):
        PracticeWorld(DIGITS, [100_000])


def test_practice_never_shows_a_heldout_image(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[np.ndarray] = []

    def spy(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        shown.append(images)
        return distorted(images, rng)

    monkeypatch.setattr("mec_moe_agents.importance.practice.distorted", spy)
    PracticeWorld(DIGITS, TRAINING[:3])
    train = {image.tobytes() for image in load_digits_split().train}
    assert len(shown[0]) == 3 * 32
    assert {image.tobytes() for image in shown[0]} <= train


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


def test_distorted_images_are_still_images() -> None:
    train = load_digits_split().train[:200]
    blank = load_digits_split().train.min(axis=0)
    # A sample may lack a pixel's blank; the whole training set does not.
    images = np.concatenate([train, blank[np.newaxis]])
    shown = distorted(images, np.random.default_rng(0))
    assert (shown >= blank - 1e-12).all()
    assert (shown <= blank + 1.0 + 1e-12).all()
    change = np.abs(shown - images).mean(axis=1)[:-1]
    assert 0.0 < change.mean() < np.abs(images[1:] - images[:-1]).mean()
    np.testing.assert_allclose(shown[-1], blank)


def test_the_front_by_hand() -> None:
    found = {
        (0.0,): Outcome(0.0, 5.0, 0.1),
        (0.1,): Outcome(1.0, 3.0, 0.1),
        (0.2,): Outcome(1.001, 2.0, 0.1),
        (0.3,): Outcome(2.0, 2.5, 0.1),
        (0.4,): Outcome(3.0, 1.0, 0.1),
    }
    # 1.001 lies beside 1.0 and loses less; 2.0 costs more than that and loses more.
    assert front(found) == [(0.0,), (0.2,), (0.4,)]
    assert neighbours((0.0, 0.95), 0.1) == [(0.0, 0.95), (0.1, 0.95), (0.0, 0.85), (0.0, 1.0)]


def test_the_search_finds_a_known_front() -> None:
    """Energy x + y and loss (1 − x)² + 4(1 − y)²: y comes first, then x."""

    def judge(schedule: tuple[float, ...]) -> Outcome:
        x, y = schedule
        return Outcome(x + y, (1 - x) ** 2 + 4 * (1 - y) ** 2, 0.5)

    found = search_front(2, judge, judge, grid=(0.0, 0.5, 1.0))
    assert len(found) > 10
    for x, y in found:
        # Up to y = 3/4 alone; from there on 1 − x = 4(1 − y), where both gain alike.
        assert x == 0.0 or y == pytest.approx((3 + x) / 4, abs=0.06)


def test_learning_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learn, "ROUGH_EPISODES", 2)
    monkeypatch.setattr(learn, "FINE_EPISODES", 4)
    monkeypatch.setattr(learn, "RECORD_EPISODES", 6)
    monkeypatch.setattr(search, "ROUNDS", 1)
    monkeypatch.setattr(study, "GRID", (0.5, 1.0))
    defaults: Any = search_front.__defaults__
    monkeypatch.setattr(search_front, "__defaults__", ((0.0, 0.4, 0.8), defaults[1][:1]))
    arguments = ["learn-importance", "--out", str(tmp_path), "--seeds", "2"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "energy saved on γ0 = 0.50" in result.output
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"digits_moe.json", "importance.png", "importance.csv"}
    learned = ScheduleFamily.load(tmp_path / "digits_moe.json", 4)
    assert len(learned.schedules) > 3
    lines = (tmp_path / "importance.csv").read_text().splitlines()
    assert len(lines) == 1 + 2 * 2 * 2


def test_the_shipped_schedules_are_judged_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learn, "RECORD_EPISODES", 6)
    monkeypatch.setattr(study, "GRID", (0.3,))
    result = CliRunner().invoke(
        app, ["learn-importance", "--shipped", "--out", str(tmp_path), "--seeds", "2"]
    )
    assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == {"importance.png", "importance.csv"}


def test_training_seeds_are_not_for_judging() -> None:
    one = ScheduleFamily((LearnedSchedule((0.0,) * 4, 0.0, 1.0, 0.5),))
    with pytest.raises(ValueError, match="2147483648"):
        study.judge(one, [2**31])
