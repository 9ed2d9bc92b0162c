"""TorchRL's own check of specs passes on every form of the environments, and masks are kept."""

from typing import Any

import gymnasium as gym
import pytest
import torch
from torchrl.envs import ActionMask, EnvBase, GymEnv, GymWrapper, check_env_specs
from torchrl.envs.transforms import TransformedEnv

from mec_moe_env import DMoEVectorEnv, OffloadingVectorEnv
from mec_moe_env.wrappers import (
    FlatActionVector,
    FlatObservationVector,
    MaskedObservation,
    MaskedObservationVector,
)

ENVS = 3
SLOTS = 4
"""Of an episode of the toy."""
MODES = ("disabled", "same_step")
FLAT_ID = "mec_moe_env:mec_moe/Offloading-toy-flat-v0"


def flat(mode: str) -> Any:
    return FlatObservationVector(
        FlatActionVector(OffloadingVectorEnv(ENVS, "toy", autoreset_mode=mode))
    )


def masked(mode: str) -> EnvBase:
    names = "observation", "action_mask", bool
    return TransformedEnv(
        GymWrapper(MaskedObservationVector(flat(mode), *names), categorical_action_encoding=True),
        ActionMask(),
    )


@pytest.mark.parametrize(
    "id", ["mec_moe_env:mec_moe/Offloading-v0", "mec_moe_env:mec_moe/DMoE-v0", FLAT_ID]
)
def test_specs_of_an_id(id: str) -> None:
    check_env_specs(GymEnv(id))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("make", [OffloadingVectorEnv, DMoEVectorEnv])
def test_specs_of_native_vector_environments(make: Any, mode: str) -> None:
    check_env_specs(GymWrapper(make(ENVS, "toy", autoreset_mode=mode)))


@pytest.mark.parametrize("mode", MODES)
def test_specs_of_flat_vector_environments(mode: str) -> None:
    check_env_specs(GymWrapper(flat(mode)))
    check_env_specs(masked(mode))


def test_masks_are_in_the_specs_of_a_scalar_environment() -> None:
    env = GymWrapper(MaskedObservation(gym.make(FLAT_ID), "observation", "action_mask", "bool"))
    check_env_specs(TransformedEnv(env, ActionMask()))
    assert env.observation_spec["action_mask"].shape == env.action_spec.shape


def test_random_actions_keep_to_the_masks_over_the_ends_of_episodes() -> None:
    torch.manual_seed(0)
    data = masked("disabled").rollout(10 * SLOTS, break_when_any_done=False)
    masks, actions = data["action_mask"], data["action"]
    assert not masks.all()
    assert masks.gather(-1, actions.unsqueeze(-1)).all()


@pytest.mark.parametrize(
    "env",
    # TorchRL 0.14 loses the last observation of an episode in SAME_STEP mode if it is a Dict, of
    # Gymnasium's own environments too: masks want DISABLED.
    [masked("disabled"), GymWrapper(flat("disabled")), GymWrapper(flat("same_step"))],
    ids=["masked, disabled", "flat, disabled", "flat, same_step"],
)
def test_episodes_end_and_begin_where_the_environment_says(env: EnvBase) -> None:
    torch.manual_seed(0)
    data = env.rollout(3 * SLOTS, break_when_any_done=False)
    last = torch.arange(3 * SLOTS) % SLOTS == SLOTS - 1
    assert (data["next", "done"].squeeze(-1) == last).all()
    begun = data["observation"][:, ::SLOTS]
    assert (begun == begun[:, :1]).all()
    # What ends an episode is not what begins the next one.
    ended = data["next", "observation"][:, last]
    assert ended.any(dim=-1).all()
    assert not torch.isclose(ended, begun).all(dim=-1).any()
