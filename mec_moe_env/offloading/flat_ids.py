"""The ids of offloading with one number as its action and one vector as its observation."""

from __future__ import annotations

from gymnasium.envs.registration import register

from mec_moe_env.offloading.config import OffloadingConfig


def flat_id(preset: str) -> str:
    """Return the id of a preset's flat environment."""
    return f"mec_moe/Offloading-{preset}-flat-v0"


def has_one_pick(config: OffloadingConfig) -> bool:
    """Return whether a slot has one task for one expert, so that one number can be the action."""
    return config.num_tasks == config.max_experts == 1


def register_flat(preset: str, config: OffloadingConfig) -> None:
    """Register the flat environment of a preset with one pick in a slot."""
    register(
        id=flat_id(preset),
        entry_point="mec_moe_env.offloading.flat:FlatOffloadingEnv",
        vector_entry_point="mec_moe_env.offloading.flat:FlatOffloadingVectorEnv",
        max_episode_steps=config.horizon,
        kwargs={"scenario": preset, "step_limit": config.horizon},
    )
