"""RLlib's PPO under action masks, where the best plan is known: trained, saved, restored, tuned.

    pip install 'mec-moe-env[rllib]'
    python examples/rllib_ppo.py

RLlib's own module for masked actions wants `{"observations": …, "action_mask": …}`, which
`MaskedObservation` shows, of the picks (`MultiDiscrete`) or of one number (`--flat-action`). The
optimum of `toy` is known: `clairvoyant` plays it, and no return exceeds the certified bound.
`--bandwidths 1e6,4e6` trains once for each value of that field, by Ray Tune.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ray
import torch
from mec_moe_agents import certified_bound, evaluate, read_arguments
from ray import tune
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.ppo import PPO, PPOConfig
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.examples.rl_modules.classes.action_masking_rlm import ActionMaskingTorchRLModule
from ray.rllib.utils.metrics import ENV_RUNNER_RESULTS, EPISODE_RETURN_MEAN

from mec_moe_env import OFFLOADING_PRESETS, OffloadingEnv
from mec_moe_env.wrappers import FlatAction, FlatObservation, MaskedObservation

HELD_OUT_SEED = 100_000
PICKS, FLAT = "mec_moe/picks", "mec_moe/flat"
"""Names of our environments in RLlib's registry."""


@dataclass(frozen=True)
class Arguments:
    """Settings; every field is a command-line option."""

    scenario: str = "toy"
    iterations: int = 16
    steps: int = 512
    """Of the environments in an iteration."""
    envs: int = 32
    flat_action: bool = False
    episodes: int = 5
    """Of the evaluation, the same for everybody."""
    bandwidths: str = ""
    """Hz, separated by commas: what Tune goes through."""
    seed: int = 0


def make_picks(fields: dict[str, Any]) -> MaskedObservation:
    """Build an environment from RLlib's `env_config`: a `scenario`, and fields that differ."""
    return MaskedObservation(FlatObservation(OffloadingEnv(fields)), dtype="float32")


def make_flat(fields: dict[str, Any]) -> MaskedObservation:
    """Build one whose action is one number."""
    env = FlatAction(OffloadingEnv(fields))
    return MaskedObservation(FlatObservation(env), dtype="float32")


def configure(settings: Arguments, **fields: Any) -> PPOConfig:
    """Return RLlib's configuration: steps and the bonus for entropy shrink to nothing."""
    tune.register_env(PICKS, make_picks)
    tune.register_env(FLAT, make_flat)
    env = FLAT if settings.flat_action else PICKS
    last = settings.iterations * settings.steps
    masked = RLModuleSpec(
        module_class=ActionMaskingTorchRLModule, model_config={"fcnet_hiddens": [64, 64]}
    )
    return (
        PPOConfig()
        .environment(env, env_config={"scenario": settings.scenario, **fields})
        .env_runners(num_env_runners=0, num_envs_per_env_runner=settings.envs)
        .rl_module(rl_module_spec=masked)
        .training(
            lr=[[0, 1e-3], [last, 0.0]],
            gamma=1.0,
            train_batch_size_per_learner=settings.steps,
            minibatch_size=min(128, settings.steps),
            num_epochs=8,
            entropy_coeff=[[0, 0.1], [last, 0.0]],
            use_kl_loss=False,
        )
        .debugging(seed=settings.seed, log_level="ERROR")
    )


class Policy:
    """What RLlib learned, as `evaluate` takes models: the likeliest of the possible actions."""

    def __init__(self, algorithm: Algorithm) -> None:
        self.policy = algorithm.get_module(DEFAULT_MODULE_ID)
        self.observation_space = self.policy.observation_space["observations"]
        self.action_space = self.policy.action_space

    def predict(self, observation: Any, action_masks: Any) -> tuple[Any, None]:
        """Choose for a batch of observations, (n, inputs), under masks, (n, choices)."""
        seen = {"observations": observation, "action_mask": action_masks.astype(np.float32)}
        tensors = {name: torch.from_numpy(array) for name, array in seen.items()}
        out = self.policy.forward_inference({Columns.OBS: tensors})
        kind = self.policy.get_inference_action_dist_cls()
        likeliest = kind.from_logits(out[Columns.ACTION_DIST_INPUTS]).to_deterministic()
        return likeliest.sample().numpy(), None


def train(settings: Arguments, folder: Path) -> None:
    """Train, and save to a folder all that is needed to go on."""
    algorithm = configure(settings).build_algo()
    for iteration in range(settings.iterations):
        mean = algorithm.train()[ENV_RUNNER_RESULTS][EPISODE_RETURN_MEAN]
        print(f"iteration {iteration + 1:3}  {mean:8.2f}")
    algorithm.save_to_path(folder)
    algorithm.stop()


def compare(settings: Arguments, folder: Path) -> None:
    """Restore what was saved and show it beside baselines and the bound."""
    restored = Algorithm.from_checkpoint(folder)
    config = OFFLOADING_PRESETS[settings.scenario]
    seeds = range(HELD_OUT_SEED, HELD_OUT_SEED + settings.episodes)
    agents = {name: name for name in ("random", "guard", "clairvoyant")}
    for name, agent in {**agents, "PPO": Policy(restored)}.items():
        mean = evaluate(agent, config, seeds).metrics["return"].mean()
        print(f"{name:15} mean return {mean:8.2f}")
    restored.stop()
    print(f"{'certified bound':15} mean return {certified_bound(config, seeds).mean():8.2f}")


def sweep(settings: Arguments, folder: Path) -> None:
    """Train once for each bandwidth, and show the last mean return beside the bound."""
    values = [float(value) for value in settings.bandwidths.split(",")]
    tuner = tune.Tuner(
        PPO,
        param_space=configure(settings, bandwidth_hz=tune.grid_search(values)),
        run_config=tune.RunConfig(
            storage_path=str(folder), stop={"training_iteration": settings.iterations}, verbose=0
        ),
    )
    results = tuner.fit()
    for error in results.errors:
        raise error
    for result in results:
        bandwidth = result.config["env_config"]["bandwidth_hz"]
        config = OFFLOADING_PRESETS[settings.scenario].override(bandwidth_hz=bandwidth)
        mean = result.metrics[ENV_RUNNER_RESULTS][EPISODE_RETURN_MEAN]
        bound = certified_bound(config, [HELD_OUT_SEED])[0]
        print(f"bandwidth {bandwidth:9.3g} Hz  mean return {mean:8.2f}  bound {bound:8.2f}")


def main(settings: Arguments) -> None:
    """Train, save, restore, compare; or go through a field."""
    torch.set_num_threads(1)
    ray.init("local", log_to_driver=False)
    with tempfile.TemporaryDirectory() as folder:
        if settings.bandwidths:
            sweep(settings, Path(folder))
        else:
            train(settings, Path(folder))
            compare(settings, Path(folder))
    ray.shutdown()


if __name__ == "__main__":
    main(read_arguments(Arguments, __doc__))
