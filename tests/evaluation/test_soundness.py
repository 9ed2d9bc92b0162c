"""What cannot be compared is refused, by name."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from mec_moe_agents import make_agent, make_vector_env, run_episodes
from mec_moe_agents.evaluation.leaderboard import summarize

from mec_moe_env import OffloadingConfig
from tests.evaluation.made_up import bounds_of, episodes, line_of, standings

SMALL = OffloadingConfig(horizon=5)


def test_a_return_that_is_no_number_is_not_best() -> None:
    results = {"broken": episodes([1, np.nan, 3] * 4), "sound": episodes([10, 11, 12] * 4)}
    with pytest.raises(ValueError, match="return = nan of broken on seed 1 is not finite"):
        summarize(results)
    with pytest.raises(ValueError, match="return = inf of guard on seed 0 is not finite"):
        standings(guard=[np.inf, 1.0], des=[1.0, 2.0])


@pytest.mark.parametrize(
    "other", [episodes([1.0, 2.0]), replace(episodes([1.0, 2.0, 3.0]), seeds=np.array([0, 2, 1]))]
)
def test_agents_of_other_seeds_are_not_compared(other: Any) -> None:
    with pytest.raises(ValueError, match=r"late ran on the seeds 0, .*, early on 0, 1, 2 \(3\)"):
        summarize({"early": episodes([1.0, 2.0, 3.0]), "late": other})


def test_no_value_is_not_broken() -> None:
    nothing_taken = episodes([-3.0] * 8, energy_per_task_j=[np.nan] * 8)
    board = summarize({"reject-all": nothing_taken})
    assert np.isnan(line_of(board, "reject-all").metrics["energy_per_task_j"].mean)
    for name, value in (("energy_j", np.nan), ("energy_per_task_j", np.inf)):
        measured: dict[str, Any] = {name: [0.0] * 7 + [value]}
        with pytest.raises(ValueError, match=f"{name} = {value} of broken on seed 7"):
            summarize({"broken": episodes([-3.0] * 8, **measured)})


def test_a_return_above_the_bound_says_that_the_bound_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"bound is wrong: guard returns -1.0 on seed 1, above -2"):
        summarize({"guard": episodes([-3.0, -1.0])}, bounds=bounds_of(-2.0, 2))
    summarize({"guard": episodes([-2.0 + 1e-10])}, bounds=bounds_of(-2.0, 1))


def test_a_reward_that_is_not_finite_is_refused_where_it_occurs() -> None:
    env = make_vector_env(SMALL, 2)
    step = env.step

    def broken(actions: Any) -> Any:
        observation, reward, terminated, truncated, info = step(actions)
        return observation, reward + np.array([0.0, np.nan]), terminated, truncated, info

    env.step = broken  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="reward of guard on seed 8 is nan at step 0"):
        run_episodes(make_agent("guard", env), env, [7, 8], name="guard")
