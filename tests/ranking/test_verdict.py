"""The words follow the numbers, whoever wins."""

import numpy as np
import pytest
from mec_moe_agents.ranking.verdict import verdict

from tests.ranking.made_up import standings

NOISE = np.random.default_rng(0).normal(0, 30, 20)
# Student's interval of its mean is ±0.48.
WOBBLE = np.tile([1.0, -1.0], 10)


def spoken(**returns):
    plain = {"random": NOISE - 400, "des": NOISE - 110, "guard": NOISE - 100}
    return verdict(standings(**(plain | returns)))


def test_learning_wins():
    text = spoken(learned=NOISE - 88 + WOBBLE, oracle=NOISE - 80)
    assert text.startswith("learned beats guard by 12.0 [11.5, 12.5] and closes 60 [57, 62] % of")
    assert "The yardstick oracle is 8.0 [7.5, 8.5] above learned." in text


def test_theory_wins():
    text = spoken(learned=NOISE - 130 + WOBBLE, oracle=NOISE - 80)
    assert text.startswith("guard beats learned by 30.0 [29.5, 30.5].")
    assert "closes" not in text
    assert "The yardstick oracle is 20.0 [20.0, 20.0] above guard." in text


@pytest.mark.parametrize(
    ("gain", "written"),
    [(0.0, "+0.0 [-0.5, +0.5]"), (0.2, "+0.2 [-0.3, +0.7]"), (-0.2, "-0.2 [-0.7, +0.3]")],
)
def test_no_difference(gain, written):
    text = spoken(learned=NOISE - 100 + gain + WOBBLE, oracle=NOISE - 80)
    start = "no difference shown between learned and guard: learned − guard ="
    assert text.startswith(f"{start} {written}.")
    assert "closes" not in text


def test_equal_on_every_seed():
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
def test_a_beaten_yardstick_is_named(lead, words):
    text = spoken(oracle=NOISE - 100 + lead + WOBBLE)
    assert text == f"guard beats des by 10.0 [10.0, 10.0]. {words}"


def test_a_gap_that_may_be_none_is_not_divided_by():
    text = spoken(learned=NOISE - 90, oracle=NOISE - 100 + WOBBLE)
    assert text.startswith("learned beats guard by 10.0")
    assert "closes" not in text


def test_without_learning_the_first_that_is_clearly_behind_is_named_too():
    text = verdict(
        standings(
            random=NOISE - 400,
            profile=NOISE - 150,
            des=NOISE - 100,
            guard=NOISE - 100,
            oracle=NOISE,
        )
    )
    assert text.startswith("guard and des are equal on every seed. des beats profile by 50.0")


def test_few_seeds_prove_nothing():
    text = verdict(standings(random=[-40] * 7, guard=[-1] * 7, oracle=[0] * 7))
    assert text == "Too few seeds to tell a difference from chance: take 8 or more."


def test_alone():
    text = verdict(standings(random=NOISE - 400, oracle=NOISE))
    assert text.startswith("random ran alone.")
    assert "oracle is 400.0 [400.0, 400.0] above random" in text


def test_a_small_lead_is_not_written_as_none():
    text = spoken(learned=NOISE - 100 + 1e-5, oracle=NOISE)
    assert text.startswith("learned beats guard by 0.000010 [0.000010, 0.000010]")
