"""Whether what a learner remembers of its environment fits in memory."""

from __future__ import annotations

from mec_moe_agents.learning.defaults import ActorCritic, DQNHyperparameters
from mec_moe_agents.learning.plan import Plan
from mec_moe_agents.learning.views import view_of

MOST_GIGABYTES = 8


def check_memory(plan: Plan) -> None:
    """See that the observations which a learner keeps are not too many.

    Raises:
        ValueError: they are; what to change is named.
    """
    gigabytes = kept_observations(plan) * view_of(plan).observation_size(plan.config) * 4 / 1e9
    if gigabytes > MOST_GIGABYTES:
        remedy = "replay_steps" if plan.algo == "dqn" else "rollout_steps"
        raise ValueError(
            f"the learner would keep {gigabytes:.0f} GB of observations, more than "
            f"{MOST_GIGABYTES}: take fewer --envs or a smaller --tune {remedy}"
        )


def kept_observations(plan: Plan) -> int:
    """Return how many observations the learner keeps: a rollout, or the replay buffer."""
    hyper = plan.hyperparameters
    if isinstance(hyper, DQNHyperparameters):
        return 2 * max(hyper.replay_steps, hyper.num_envs)
    assert isinstance(hyper, ActorCritic)
    steps = hyper.rollout_steps or view_of(plan).steps_per_episode(plan.config)
    return steps * hyper.num_envs
