"""The words follow the numbers, whoever wins."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from mec_moe_agents import Episodes
from mec_moe_agents.evaluation.columns import Column, return_column
from mec_moe_agents.evaluation.leaderboard import summarize
from mec_moe_agents.evaluation.verdict import ranking_verdict, verdict
from numpy.typing import ArrayLike

from tests.evaluation.made_up import bounds_of, episodes, standings

NOISE = np.random.default_rng(0).normal(0, 30, 20)
# Student's interval of its mean is ±0.48.
WOBBLE = np.tile([1.0, -1.0], 10)


def spoken(*, bounds: ArrayLike | None = None, **returns: ArrayLike) -> str:
    plain: dict[str, ArrayLike] = {"random": NOISE - 400, "des": NOISE - 110, "guard": NOISE - 100}
    return ranking_verdict(standings("scarce", bounds=bounds, **(plain | returns)))


def test_learning_wins() -> None:
    text = spoken(bounds=NOISE - 67, learned=NOISE - 88 + WOBBLE, clairvoyant=NOISE - 70)
    assert text == (
        "learned (2 training runs) beats guard by 12.0 [11.5, 12.5]. learned stands 21.0 "
        "[20.5, 21.5] below the certified bound; the clairvoyant plan shows that 18.0 of it can "
        "be reached."
    )


def test_theory_wins() -> None:
    text = spoken(bounds=NOISE - 80, learned=NOISE - 130 + WOBBLE)
    assert text == (
        "guard beats learned (2 training runs) by 30.0 [29.5, 30.5]. guard stands 20.0 "
        "[20.0, 20.0] below the certified bound."
    )


@pytest.mark.parametrize(
    ("gain", "written"),
    [(0.0, "+0.0 [-0.5, +0.5]"), (0.2, "+0.2 [-0.3, +0.7]"), (-0.2, "-0.2 [-0.7, +0.3]")],
)
def test_no_difference(gain: float, written: str) -> None:
    text = spoken(learned=NOISE - 100 + gain + WOBBLE)
    start = "No difference shown between learned (2 training runs) and guard: learned − guard ="
    assert text.startswith(f"{start} {written}, Holm-adjusted p = ")


def test_identical_on_all_seeds() -> None:
    assert spoken(learned=NOISE - 100).startswith(
        "learned (2 training runs) and guard are identical on all 20 seeds."
    )


def test_without_a_bound_the_distance_is_not_known() -> None:
    text = spoken()
    assert text.startswith("guard beats des by 10.0 [10.0, 10.0]. How far from the optimum")
    assert text.endswith("compare, rank and replay compute it with --certify.")


@pytest.mark.parametrize("lead", [-5.0, 0.2])
def test_a_plan_that_is_no_better_shows_nothing(lead: float) -> None:
    text = spoken(bounds=NOISE - 50, clairvoyant=NOISE - 100 + lead + WOBBLE)
    assert "the clairvoyant plan does not show that more can be reached." in text


def test_a_reference_that_solves_the_return_is_named_as_such() -> None:
    results = {"jesa": episodes(NOISE - 80), "optimal": episodes(NOISE - 70)}
    board = summarize(results | {"des": episodes(NOISE - 90)}, ["optimal"], bounds=bounds_of(0, 20))
    text = verdict(board, "contended")
    assert text.startswith("Best on contended: jesa.")
    assert text.endswith(
        "; optimal, which solves the return itself, shows that 10.00 of it can be reached."
    )


def test_a_lead_that_the_number_of_comparisons_explains_is_none() -> None:
    # Of eight seeds all are won: p = 2/2⁸, of seven comparisons 0.055.
    names = ("guard", "des", "profile", "gating", "nearest", "jesa", "topk", "random")
    many = {name: np.arange(8.0) - 10 * place for place, name in enumerate(names)}
    assert ranking_verdict(standings(**many)).startswith(
        "No difference shown between des and guard"
    )
    assert "So few seeds can show no difference among 8 agents." in ranking_verdict(
        standings(**many)
    )
    few = {name: many[name] for name in names[:3]}
    assert "So few seeds" not in ranking_verdict(standings(**few))
    assert ranking_verdict(standings(**few)).startswith("guard beats des by 10")


def test_without_learning_the_first_that_is_clearly_behind_is_named_too() -> None:
    text = ranking_verdict(
        standings(
            random=NOISE - 400,
            profile=NOISE - 150,
            des=NOISE - 100,
            guard=NOISE - 100,
        )
    )
    assert text.startswith("guard and des are identical on all 20 seeds. des beats profile by 50.0")


def test_few_seeds_prove_nothing() -> None:
    text = ranking_verdict(standings(random=[-40] * 7, guard=[-1] * 7))
    assert text == (
        "No verdict from 7 seeds: take 8 or more. The highest mean return is that of guard."
    )


def test_all_that_are_identical_are_named() -> None:
    same = dict.fromkeys(("guard", "des", "jesa"), NOISE - 100)
    text = ranking_verdict(standings(random=NOISE - 400, **same))
    assert text.startswith("des, jesa and guard are identical on all 20 seeds. guard beats random")


def test_nothing_to_gain_is_said_in_words() -> None:
    words = " No scale: guard stands within 0.5 % of the bound; there is nothing to gain."
    assert spoken(bounds=NOISE - 99.5).endswith(words)
    results = {"guard": episodes(NOISE - 100), "des": episodes(NOISE - 110)}
    assert verdict(summarize(results, bounds=bounds_of(NOISE - 99.5, 20)), "x").endswith(words)
    assert "No scale" not in spoken(bounds=NOISE - 90)


def test_alone() -> None:
    text = ranking_verdict(standings(bounds=NOISE, random=NOISE - 400, clairvoyant=NOISE))
    assert text.startswith("random ran alone. random stands 400.0 [400.0, 400.0] below the")


def test_a_small_lead_is_not_written_as_none() -> None:
    text = spoken(learned=NOISE - 100 + 1e-5)
    assert text.startswith("learned (2 training runs) beats guard by 0.000010 [0.000010, 0.000010]")


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
    assert "guard beats random by 30.00" in text


@pytest.mark.parametrize(("rivals", "told"), [(6, False), (7, True)])
def test_a_family_too_large_for_its_seeds_is_told(rivals: int, told: bool) -> None:
    """Eight seeds of one sign: p = 2/2⁸, times the rivals; 7 · 2/2⁸ is above 5 %."""
    base = -np.arange(8.0)
    others = {f"agent{rank}": (base - rank).tolist() for rank in range(1, rivals + 1)}
    text = verdict(summarize(made_up(guard=base.tolist(), **others)), "digits")
    assert ("Its return beats the next" in text) is not told
    assert ("So few seeds can show no difference among 8 agents." in text) is told


def test_a_reference_is_never_best() -> None:
    seer, guard, nearest = ([-1, -2, -3] * 3, [-10, -20, -30] * 3, [-100, -200, -300] * 3)
    results = made_up(clairvoyant=seer, guard=guard, nearest=nearest)
    board = summarize(results, ["clairvoyant"], bounds=bounds_of(-1.0, 9))
    text = verdict(board, "digits")
    assert text.startswith("Best on digits: guard")
    assert "guard stands 19.0 [" in text
    assert "the clairvoyant plan shows that 18.0 of it can be reached." in text


def test_one_seed_and_one_agent() -> None:
    for count in (1, 7):
        few = verdict(summarize(made_up(guard=[-1] * count, nearest=[-2] * count)), "toy")
        assert few == (
            f"No verdict on toy from {count} seeds: take 8 or more. The highest mean return is "
            "that of guard."
        )
    assert "nothing to compare" in verdict(summarize(made_up(guard=[-1, -2])), "toy")


def test_agents_that_do_the_same_win_together() -> None:
    same = [-10.0, -20.0, -30.0] * 3
    results = made_up(jesa=same, des=same, guard=same, random=[-40.0, -50.0, -61.0] * 3)
    text = verdict(summarize(results), "large")
    opening = (
        "Best on large: jesa, des and guard, identical on all 9 seeds. jesa beats random by 30"
    )
    assert text.startswith(opening)


def test_violations_stand_beside_a_win() -> None:
    noise = np.random.default_rng(1).normal(0, 1, 9)
    results = {
        "thrifty": episodes(noise, violated=[0.25] * 9),
        "jesa": episodes(noise - 2, violated=[0.0] * 9),
    }
    text = verdict(summarize(results), "paper")
    assert "But thrifty violates 25.0 % of the thresholds, jesa 0.0 %." in text
    results["jesa"] = episodes(noise - 2, violated=[0.5] * 9)
    assert "But" not in verdict(summarize(results), "paper")


def test_what_has_no_value_is_not_named() -> None:
    text = verdict(summarize(made_up(guard=[-1, -2])), "toy")
    assert "It reaches final error 0.250." in text


def test_numbers_are_written_plainly() -> None:
    share = Column("Share", 1, scale=100.0)
    assert share.number(0.1234) == "12.3"
    assert share.number(float("nan")) == "–"
    assert Column("x", 1, signed=True).number(-0.001) == "+0.0"
    assert return_column(12345.6).number(-12345.6) == "-12346"
    assert return_column(1.0).number(0.25) == "0.250"
    assert return_column(0.0).decimals == 3
