"""Who is compared with whom, scores, and aggregates over scenarios."""

import numpy as np
import pytest
from mec_moe_agents.evaluation.leaderboard import THRESHOLDS, aggregate, summarize
from mec_moe_agents.evaluation.scenarios import Scenario

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS
from tests.evaluation.made_up import episodes, line_of, standings

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


def test_scores_run_from_random_to_oracle() -> None:
    found = standings(random=[-30, -10], guard=[-9, -11], oracle=[0, 0])
    assert (found.scale.floor, found.scale.ceiling) == (-20.0, 0.0)
    assert line_of(found, "random").score.mean == 0.0
    assert line_of(found, "oracle").score.mean == 1.0
    assert line_of(found, "guard").score.mean == 0.5
    np.testing.assert_allclose(line_of(found, "guard").scores, [0.55, 0.45])


def test_the_score_is_the_mean_return_on_another_scale() -> None:
    line = line_of(standings(random=NOISE - 40, guard=NOISE * 2, oracle=NOISE + 10), "guard")
    assert line.score.mean == pytest.approx(line.scores.mean())
    share = (line.mean_return.low - line.mean_return.mean) / 50
    assert line.score.low - line.score.mean == pytest.approx(share)


def test_the_opponent_is_the_best_baseline() -> None:
    found = standings(
        random=NOISE - 40, des=NOISE - 2, guard=NOISE - 1, learned=NOISE + 5, oracle=NOISE + 9
    )
    assert found.opponent == "guard"
    assert [line.agent for line in found.lines] == ["oracle", "learned", "guard", "des", "random"]
    best = line_of(found, "guard")
    assert best.gain is best.better_on is best.improvement is None
    np.testing.assert_allclose(line_of(found, "learned").gain or (), 6.0)
    assert line_of(found, "learned").better_on == pytest.approx((1.0, 0.839, 1.0), abs=1e-3)


def test_scores_need_a_reference_above_random() -> None:
    found = standings(random=[-1, -1], guard=[-2, -3], oracle=[-1, -1])
    assert np.isnan(line_of(found, "guard").score.mean)
    assert np.isnan(line_of(found, "guard").iqm.mean)
    sound = standings(random=[-9, -8], guard=[-2, -3], oracle=[-1, -1])
    assert aggregate([found, sound]) == []


def test_both_references_always_run() -> None:
    config = OFFLOADING_PRESETS["scarce"]
    assert Scenario("scarce", config, ["guard"]).runners == ["random", "guard", "oracle"]
    dmoe = Scenario("dmoe/paper", DMOE_PRESETS["paper"], ["topk"])
    assert dmoe.runners == ["random", "topk", "jesa-plus"]


def test_only_agents_that_act_everywhere_are_aggregated() -> None:
    plain = {"random": NOISE - 40, "guard": NOISE - 2, "oracle": NOISE}
    groups = aggregate([standings("scarce", **plain), standings("joint", **plain, jesa=NOISE)])
    assert [group.scenarios for group in groups] == [("scarce", "joint")]
    assert {line.agent for line in groups[0].lines} == {"random", "guard", "oracle"}


def test_scenarios_with_a_learned_policy_have_an_aggregate_of_their_own() -> None:
    plain = {"random": NOISE - 40, "guard": NOISE - 2, "oracle": NOISE}
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
    assert [line.agent for line in where_learned.lines][:2] == ["oracle", "learned"]
    assert len(aggregate(entries[:2])) == 1


def test_an_aggregate_is_over_all_episodes() -> None:
    # Scores of guard: 0.0, 0.2, 0.4, 0.6 and 0.8, 1.0, 0.2, 0.4; the middle four: 0.2 … 0.6.
    ends = {"random": np.zeros(4), "oracle": np.full(4, 10.0)}
    found = aggregate(
        [
            standings("scarce", **ends, guard=[0, 2, 4, 6]),
            standings("joint", **ends, guard=[8, 10, 2, 4]),
        ]
    )
    guard = next(line for line in found[0].lines if line.agent == "guard")
    assert guard.iqm.mean == pytest.approx((0.2 + 0.4 + 0.4 + 0.6) / 4)
    assert guard.profile[THRESHOLDS.index(0.5)] == 3 / 8
