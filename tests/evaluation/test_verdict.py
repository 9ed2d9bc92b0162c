"""The words follow the numbers, whoever wins."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from mec_moe_agents import Episodes
from mec_moe_agents.evaluation.leaderboard import summarize
from mec_moe_agents.evaluation.verdict import Column, ranking_verdict, return_column, verdict
from numpy.typing import ArrayLike

from tests.evaluation.made_up import episodes, standings

NOISE = np.random.default_rng(0).normal(0, 30, 20)
# Student's interval of its mean is ±0.48.
WOBBLE = np.tile([1.0, -1.0], 10)


def spoken(**returns: ArrayLike) -> str:
    plain: dict[str, ArrayLike] = {"random": NOISE - 400, "des": NOISE - 110, "guard": NOISE - 100}
    return ranking_verdict(standings("scarce", **(plain | returns)))


def test_learning_wins() -> None:
    text = spoken(learned=NOISE - 88 + WOBBLE, oracle=NOISE - 80)
    assert text.startswith("learned beats guard by 12.0 [11.5, 12.5] and closes 60 [57, 62] % of")
    assert "The yardstick oracle is 8.0 [7.5, 8.5] above learned." in text


def test_theory_wins() -> None:
    text = spoken(learned=NOISE - 130 + WOBBLE, oracle=NOISE - 80)
    assert text.startswith("guard beats learned by 30.0 [29.5, 30.5].")
    assert "closes" not in text
    assert "The yardstick oracle is 20.0 [20.0, 20.0] above guard." in text


@pytest.mark.parametrize(
    ("gain", "written"),
    [(0.0, "+0.0 [-0.5, +0.5]"), (0.2, "+0.2 [-0.3, +0.7]"), (-0.2, "-0.2 [-0.7, +0.3]")],
)
def test_no_difference(gain: float, written: str) -> None:
    text = spoken(learned=NOISE - 100 + gain + WOBBLE, oracle=NOISE - 80)
    start = "no difference shown between learned and guard: learned − guard ="
    assert text.startswith(f"{start} {written}.")
    assert "closes" not in text


def test_equal_on_every_seed() -> None:
    assert spoken(learned=NOISE - 100, oracle=NOISE).startswith(
        "learned and guard are equal on every seed."
    )


@pytest.mark.parametrize(
    ("lead", "words"),
    [
        (-5.0, "The yardstick oracle is beaten: guard is 5.0 [4.5, 5.5] above it."),
        (-0.2, "No difference shown between the yardstick oracle and guard."),
        (0.2, "No difference shown between the yardstick oracle and guard."),
    ],
)
def test_a_beaten_yardstick_is_named(lead: float, words: str) -> None:
    text = spoken(oracle=NOISE - 100 + lead + WOBBLE)
    assert text == f"guard beats des by 10.0 [10.0, 10.0]. {words}"


def test_a_gap_that_may_be_none_is_not_divided_by() -> None:
    text = spoken(learned=NOISE - 90, oracle=NOISE - 100 + WOBBLE)
    assert text.startswith("learned beats guard by 10.0")
    assert "closes" not in text


def test_without_learning_the_first_that_is_clearly_behind_is_named_too() -> None:
    text = ranking_verdict(
        standings(
            random=NOISE - 400,
            profile=NOISE - 150,
            des=NOISE - 100,
            guard=NOISE - 100,
            oracle=NOISE,
        )
    )
    assert text.startswith("guard and des are equal on every seed. des beats profile by 50.0")


def test_few_seeds_prove_nothing() -> None:
    text = ranking_verdict(standings(random=[-40] * 7, guard=[-1] * 7, oracle=[0] * 7))
    assert text == "Too few seeds to tell a difference from chance: take 8 or more."


def test_alone() -> None:
    text = ranking_verdict(standings(random=NOISE - 400, oracle=NOISE))
    assert text.startswith("random ran alone.")
    assert "oracle is 400.0 [400.0, 400.0] above random" in text


def test_a_small_lead_is_not_written_as_none() -> None:
    text = spoken(learned=NOISE - 100 + 1e-5, oracle=NOISE)
    assert text.startswith("learned beats guard by 0.000010 [0.000010, 0.000010]")


def made_up(**returns: Sequence[float]) -> Mapping[str, Episodes]:
    """Return episodes with these returns, one agent each, otherwise alike."""
    return {
        agent: episodes(
            values,
            generalization_error=[0.25] * len(values),
            energy_per_task_j=[np.nan] * len(values),
        )
        for agent, values in returns.items()
    }


def test_a_clear_winner() -> None:
    results = made_up(guard=[-10, -20, -30] * 3, gating=[-15, -25, -36] * 3)
    text = verdict(summarize(results), "digits")
    assert text.startswith("Best on digits: guard. Its return beats the next, gating, by 5.33 [")
    assert "9 seeds" in text
    assert "final error 0.250" in text


def test_a_lead_that_may_be_chance() -> None:
    summary = summarize(
        made_up(guard=[-10, -20, -30] * 3, profile=[-5, -30, -30] * 3, random=[-40, -50, -60] * 3)
    )
    text = verdict(summary, "digits")
    assert "may be chance" in text
    assert "It beats random by 30.00" in text


def test_a_yardstick_is_never_best() -> None:
    results = made_up(oracle=[-1, -2, -3], guard=[-10, -20, -30], nearest=[-100, -200, -300])
    text = verdict(summarize(results, ["oracle"]), "digits")
    assert text.startswith("Best on digits: guard")
    assert "The oracle, which sees what no scheduler can, stands 18.0 above it." in text


def test_one_seed_and_one_agent() -> None:
    text = verdict(summarize(made_up(guard=[-1], nearest=[-2])), "toy")
    assert "too few seeds to tell it from chance" in text
    few = verdict(summarize(made_up(guard=[-1] * 7, nearest=[-2] * 7)), "toy")
    assert "too few seeds" in few
    assert "beats" not in few
    assert "nothing to compare" in verdict(summarize(made_up(guard=[-1, -2])), "toy")


def test_numbers_are_written_plainly() -> None:
    share = Column("Share", 1, scale=100.0)
    assert share.number(0.1234) == "12.3"
    assert share.number(float("nan")) == "–"
    assert Column("x", 1, signed=True).number(-0.001) == "+0.0"
    assert return_column(12345.6).number(-12345.6) == "-12346"
    assert return_column(1.0).number(0.25) == "0.250"
    assert return_column(0.0).decimals == 3
