"""How good a learner's policy is, by the evaluation that `mec-moe compare` uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mec_moe_agents.evaluation.rollout import Episodes, batches, make_vector_env, run_episodes
from mec_moe_agents.learning.plan import Plan
from mec_moe_agents.learning.views import View


def evaluate_model(plan: Plan, view: View, model: Any, seeds: Sequence[int]) -> Episodes:
    """Run what a model has learned on one episode per seed, in the original environment."""
    parts = []
    for chunk in batches(plan.config, seeds):
        env = make_vector_env(plan.config, len(chunk))
        parts.append(run_episodes(view.agent(plan, model, env), env, chunk))
        env.close()
    return Episodes.concatenate(parts)
