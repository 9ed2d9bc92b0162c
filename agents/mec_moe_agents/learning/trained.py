"""What a run has learned, as an agent."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from mec_moe_agents.agent import Agent
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.learning.algorithms import Learner
from mec_moe_agents.learning.checkpoint import load_policy
from mec_moe_agents.learning.plan import Plan
from mec_moe_agents.learning.run_folder import BEST, read_plan
from mec_moe_agents.learning.training import torch_threads
from mec_moe_agents.learning.validation import evaluate_model
from mec_moe_env import DMoEVectorEnv, OffloadingVectorEnv
from mec_moe_env.files import recover_folder


def load_agent(
    folder: Path, env: OffloadingVectorEnv | DMoEVectorEnv, checkpoint: str = BEST
) -> Agent:
    """Rebuild the model of a run from its configuration and weights.

    Args:
        folder: of the run, as `mec-moe train` wrote it.
        env: a native vector environment with the scenario of the run; the agent is for it alone.
        checkpoint: `best` or `last`.

    Raises:
        OSError: a file is missing.
        ValueError: a file is damaged.
    """
    learner = load_learner(read_plan(folder), folder / checkpoint)
    return learner.view.agent(learner.plan, learner.model, env)


def evaluate_run(folder: Path, seeds: Sequence[int], checkpoint: str = BEST) -> Episodes:
    """Run what was learned on one episode per seed of the scenario it was trained in.

    Raises:
        OSError: a file is missing.
        ValueError: a file is damaged.
    """
    plan = read_plan(folder)
    with torch_threads(plan.threads):
        learner = load_learner(plan, folder / checkpoint)
        episodes = evaluate_model(plan, learner.view, learner.model, seeds)
        learner.close()
    return episodes


def load_learner(plan: Plan, checkpoint: Path) -> Learner:
    """Build a learner that does not train and give it the weights of a checkpoint.

    Raises:
        OSError: the weights are missing.
        ValueError: the weights are damaged.
    """
    recover_folder(checkpoint)
    # Its environment only shows the spaces.
    small = plan.hyperparameters.override(num_envs=1)
    learner = Learner(dataclasses.replace(plan, hyperparameters=small))
    load_policy(learner.model, checkpoint)
    return learner
