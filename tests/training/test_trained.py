"""What was learned acts in the original environment as it did in training's."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sb3_contrib")

from mec_moe_agents.evaluation.rollout import make_vector_env, run_episodes
from mec_moe_agents.offloading.learned import learned_agent
from mec_moe_agents.training.learner import Learner
from mec_moe_agents.training.run import evaluate_model, evaluate_run, load_agent

from mec_moe_env import OffloadingConfig, OffloadingVectorEnv
from tests.training.runs import SEGMENT, run, tiny_plan

SEEDS = range(9)
KINDS = [
    ("ppo", "offloading", "mlp"),
    ("maskable-ppo", "offloading", "mlp"),
    ("maskable-ppo", "offloading", "shape"),
    ("maskable-ppo", "offloading", "features"),
    ("recurrent-ppo", "offloading", "features"),
    ("dqn", "offloading", "mlp"),
    ("maskable-ppo", "dmoe", "mlp"),
]


@pytest.mark.parametrize(("algo", "env", "policy"), KINDS)
def test_a_loaded_agent_acts_as_the_model(algo: str, env: str, policy: str, tmp_path: Path) -> None:
    plan = tiny_plan(algo, env, policy)
    progress = run(plan, tmp_path, 2 * SEGMENT)
    original = make_vector_env(plan.config, 9)
    episodes = run_episodes(load_agent(tmp_path, original), original, SEEDS)
    again = evaluate_run(tmp_path, SEEDS)
    np.testing.assert_array_equal(episodes.metrics["return"], again.metrics["return"])
    best = evaluate_run(tmp_path, range(2**31, 2**31 + 4)).metrics["return"].mean()
    assert best == progress.best.mean_return
    if algo == "maskable-ppo" and env == "offloading":
        assert not episodes.metrics["dropped_picks"].any()


@pytest.mark.parametrize("policy", ["shape", "features", "mlp"])
def test_the_view_gives_the_returns_of_the_original(policy: str) -> None:
    """The learner's rewards add up to the return that its evaluation reports."""
    plan = tiny_plan("maskable-ppo", policy=policy)
    learner = Learner(plan)
    model: Any = learner.model
    env = model.get_env()
    env.seed(11)
    observation, total = env.reset(), np.zeros(4)
    for _ in range(20):
        masks = np.stack(env.env_method("action_masks"))
        action, _ = model.predict(observation, deterministic=True, action_masks=masks)
        observation, rewards, _, _ = env.step(action)
        total += rewards / plan.hyperparameters.reward_scale
    episodes = evaluate_model(learner, range(11, 15))
    np.testing.assert_allclose(total, episodes.metrics["return"], rtol=1e-5)


def test_the_export_is_an_agent_without_torch(tmp_path: Path) -> None:
    plan = tiny_plan("maskable-ppo", policy="shape")
    run(plan, tmp_path, SEGMENT)
    assert isinstance(plan.config, OffloadingConfig)
    env = OffloadingVectorEnv(9, plan.config)
    agent = learned_agent(plan.config, path=tmp_path / "best" / "learned.npz")
    episodes = run_episodes(agent, env, SEEDS)
    expected = evaluate_run(tmp_path, SEEDS)
    np.testing.assert_array_equal(episodes.metrics["return"], expected.metrics["return"])
