"""Rewards of a size that suits a network."""

from __future__ import annotations

from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn


class ScaledReward(VecEnvWrapper):
    """Multiplies every reward by a constant."""

    def __init__(self, venv: VecEnv, scale: float) -> None:
        super().__init__(venv)
        self._scale = scale

    def reset(self) -> VecEnvObs:
        """Begin new episodes."""
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        """Advance, and scale what comes."""
        observation, rewards, dones, infos = self.venv.step_wait()
        return observation, rewards * self._scale, dones, infos
