"""Who is compared with whom, scores, and aggregates over scenarios."""

from dataclasses import replace

import numpy as np
import pytest
from mec_moe_agents.evaluation.aggregate import THRESHOLDS, aggregate, by_reason
from mec_moe_agents.evaluation.leaderboard import summarize
from mec_moe_agents.evaluation.scale import Scale
from mec_moe_agents.evaluation.scenarios import Scenario

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS
from tests.evaluation.made_up import bounds_of, episodes, line_of, standings

NOISE = np.random.default_rng(0).normal(0, 3, 20)


def test_ranking_is_by_return_and_differences_are_paired() -> None:
    noise = np.random.default_rng(0).normal(0, 100, 12)
    results = {
        "slow": episodes(noise - 3.0),
        "seer": episodes(noise + 9.0),
        "good": episodes(noise),
    }
    summary = summarize(results, references=["seer"])
    assert [line.agent for line in summary.lines] == ["seer", "good", "slow"]
    assert summary.best.agent == "good"
    assert summary.best.gain is None
    # The seeds' noise is far larger than the difference; pairing takes it out.
    np.testing.assert_allclose(summary.lines[2].gain or (), -3.0)


def test_nothing_to_rank() -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        summarize({})


def test_scores_run_from_the_best_baseline_to_the_bound() -> None:
    found = standings(
        bounds=[-4, -2],
        random=[-30, -10],
        guard=[-9, -5],
        learned=[-4, -4],
        clairvoyant=[-4, -2],
    )
    assert (found.baseline, found.scale.baseline, found.scale.bound) == ("guard", -7.0, -3.0)
    assert line_of(found, "guard").score.mean == 0.0
    assert line_of(found, "clairvoyant").score.mean == 1.0
    assert line_of(found, "random").score.mean == -3.25
    assert line_of(found, "guard").training_runs == 0
    assert line_of(found, "learned").training_runs == 2
    # 1 − (−4 − −4)/4 and 1 − (−2 − −4)/4: every episode below the bound of its own seed.
    np.testing.assert_allclose(line_of(found, "learned").scores, [1.0, 0.5])
    assert found.bound is not None
    assert found.bound.score == (1.0, 1.0, 1.0)
    assert found.bound.training_runs == 0
    assert found.bound.episodes.curve.shape == (2, 0)
    assert found.shown[0] is found.bound
    assert found.bound not in found.lines


def test_one_percent_of_the_bound_is_enough_to_gain() -> None:
    assert Scale(99.0, np.array([100.0])).is_defined
    assert Scale(-101.0, np.array([-100.0])).is_defined
    assert Scale(99.001, np.array([100.0])).lack == "nothing to gain"
    assert Scale(101.0, np.array([100.0])).lack == "nothing to gain"
    assert Scale(0.0, np.array([0.0])).lack == "nothing to gain"
    assert Scale(99.0).lack == "no certified bound"


def test_no_episode_scores_above_one() -> None:
    # The easy seed's return is above the mean bound; its score is not above 1.
    found = standings(bounds=[-1, -99], guard=[-2, -120], learned=[-1, -110])
    assert line_of(found, "learned").scores.max() == 1.0
    assert line_of(found, "learned").iqm.mean <= 1.0


def test_the_score_is_that_of_the_mean_return() -> None:
    found = standings(bounds=NOISE + 10, guard=NOISE * 2, random=NOISE - 40)
    line = line_of(found, "random")
    span = found.scale.bound - found.scale.baseline
    expected = (line.mean_return.mean - found.scale.baseline) / span
    assert line.score.mean == pytest.approx(expected)


def test_the_opponent_is_the_best_baseline() -> None:
    found = standings(
        random=NOISE - 40, des=NOISE - 2, guard=NOISE - 1, learned=NOISE + 5, clairvoyant=NOISE + 9
    )
    assert found.opponent == found.baseline == "guard"
    order = ["clairvoyant", "learned", "guard", "des", "random"]
    assert [line.agent for line in found.lines] == order
    best = line_of(found, "guard")
    assert best.gain is best.better_on is best.improvement is None
    assert best.p_value is None
    np.testing.assert_allclose(line_of(found, "learned").gain or (), 6.0)
    assert line_of(found, "learned").better_on == pytest.approx((1.0, 0.839, 1.0), abs=1e-3)


def test_a_comparison_has_the_best_untrained_baseline_as_score_zero() -> None:
    results = {name: episodes(NOISE - shift) for name, shift in (("guard", 9), ("learned", 5))}
    results |= {"seer": episodes(NOISE - 1), "random": episodes(NOISE - 30)}
    board = summarize(results, ["seer"], {"learned": 1}, bounds=bounds_of(NOISE, 20))
    assert (board.opponent, board.baseline) == ("learned", "guard")
    assert line_of(board, "learned").score.mean == pytest.approx(4 / 9)
    frozen = summarize(
        results, ["seer"], {"learned": 1}, bounds=bounds_of(NOISE, 20), baseline="random"
    )
    assert line_of(frozen, "learned").score.mean == pytest.approx(25 / 30)


def test_without_a_bound_above_the_baseline_there_is_no_score() -> None:
    for found in (
        standings(random=[-1, -1], guard=[-2, -3]),
        standings(bounds=[-1, -1], random=[-1, -1], guard=[-2, -3]),
    ):
        assert not found.scale.is_defined
        assert np.isnan(line_of(found, "guard").score.mean)
        assert np.isnan(line_of(found, "guard").iqm.mean)


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        (-100.0, "no scale: guard stands within 0.2 % of the bound; there is nothing to gain"),
        (-99.21, "no scale: guard stands within 1 % of the bound; there is nothing to gain"),
        (-100.12, "no scale: guard reaches the bound; there is nothing to gain"),
        (-99.0, ""),
    ],
)
def test_a_baseline_at_the_bound_leaves_nothing_to_gain(bound: float, words: str) -> None:
    """A span below 1 % of the bound: 0.12 of 100 and 0.91 of 99.21 are, 1.12 of 99 is not."""
    scale = standings(bounds=[bound] * 2, guard=[-100.12] * 2, random=[-400, -400]).scale
    assert scale.why_none("guard") == words
    assert scale.is_defined == (not words)
    assert np.isnan(scale.score(np.array([-400.0, -1.0]))).all() == bool(words)


def test_p_values_are_adjusted_over_the_table() -> None:
    # All eight differences have one sign: p = 2/2⁸; the third agent differs by chance, p = 1.
    drift = np.tile([1.0, -1.0], 4)
    base = np.arange(8.0)
    found = standings(guard=base - 20, des=base - 21, profile=base - 22, gating=base - 20 + drift)
    raw = {line.agent: line.p_value for line in found.lines}
    assert raw == {"guard": None, "des": 2 / 256, "profile": 2 / 256, "gating": 1.0}
    assert found.adjusted == {"des": 6 / 256, "profile": 6 / 256, "gating": 1.0}
    outcomes = {line.agent: found.outcome(line) for line in found.lines}
    assert outcomes == {"guard": 0, "des": -1, "profile": -1, "gating": 0}


def test_a_baseline_always_runs() -> None:
    config = OFFLOADING_PRESETS["scarce"].override(horizon=7)  # outside the suite
    assert Scenario("scarce", config, ["guard"]).runners == ["guard"]
    assert Scenario("scarce", config, ["learned"]).runners == ["random", "learned"]
    dmoe = Scenario("dmoe/paper", DMOE_PRESETS["paper"].override(num_layers=3), ["topk"])
    assert dmoe.runners == ["topk"]


def test_a_frozen_baseline_runs_and_is_the_opponent(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "mec_moe_agents.evaluation.scenarios.frozen_baseline"
    monkeypatch.setattr(name, lambda config: "des")
    scenario = Scenario("scarce", OFFLOADING_PRESETS["scarce"], ["guard"])
    assert scenario.runners == ["guard", "des"]
    monkeypatch.setattr(name, lambda config: "an agent of another version")
    assert replace(scenario).baseline is None


def test_only_agents_that_act_everywhere_are_aggregated() -> None:
    plain = {"bounds": NOISE, "random": NOISE - 40, "guard": NOISE - 2}
    groups = aggregate([standings("scarce", **plain), standings("joint", **plain, jesa=NOISE - 1)])
    assert [group.scenarios for group in groups] == [("scarce", "joint")]
    assert {line.agent for line in groups[0].lines} == {"random", "guard"}


def test_scenarios_without_a_bound_are_left_out_and_named() -> None:
    plain = {"random": NOISE - 40, "guard": NOISE - 2}
    entries = [standings(name, bounds=NOISE, **plain) for name in ("scarce", "joint")]
    (group,) = aggregate([*entries, standings("default", **plain)])
    assert group.scenarios == ("scarce", "joint")
    assert group.left_out == {"default": "no certified bound"}
    assert aggregate([entries[0], standings("default", **plain)]) == []


def test_scenarios_with_nothing_to_gain_are_left_out_and_named() -> None:
    plain = {"random": NOISE - 540, "guard": NOISE - 502}
    entries = [standings(name, bounds=NOISE, **plain) for name in ("scarce", "joint")]
    full = standings("default", bounds=NOISE - 500, **plain)
    (group,) = aggregate([*entries, full, standings("digits", **plain)])
    assert group.scenarios == ("scarce", "joint")
    assert by_reason(group.left_out) == "nothing to gain: default; no certified bound: digits"


def test_scenarios_with_a_learned_policy_have_an_aggregate_of_their_own() -> None:
    plain = {"bounds": NOISE, "random": NOISE - 40, "guard": NOISE - 2, "clairvoyant": NOISE}
    learned = plain | {"learned": NOISE - 1}
    entries = [
        standings("scarce", **learned),
        standings("joint", **learned),
        standings("default", **plain),
    ]
    everywhere, where_learned = aggregate(entries)
    assert len(everywhere.scenarios) == 3
    assert "learned" not in [line.agent for line in everywhere.lines]
    assert where_learned.scenarios == ("scarce", "joint")
    assert [line.agent for line in where_learned.lines][:2] == ["clairvoyant", "learned"]
    assert len(aggregate(entries[:2])) == 1


def test_an_aggregate_is_over_all_episodes() -> None:
    # Scores of guard: −0.6, −0.4, −0.2, 0.0 and 0.2, 0.4, −0.4, −0.2; the middle four:
    # −0.4, −0.2, −0.2, 0.0.
    ends = {"bounds": np.full(4, 10.0), "des": np.zeros(4)}
    found = aggregate(
        [
            standings("scarce", **ends, learned=[-6, -4, -2, 0]),
            standings("joint", **ends, learned=[2, 4, -4, -2]),
        ]
    )
    guard = next(line for line in found[0].lines if line.agent == "learned")
    assert guard.iqm.mean == pytest.approx((-0.4 - 0.2 - 0.2 + 0.0) / 4)
    assert guard.profile[THRESHOLDS.index(-0.5)] == 7 / 8
