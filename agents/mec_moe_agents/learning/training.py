"""The training loop: legs of whole episodes, a checkpoint after each."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.utils import set_random_seed

from mec_moe_agents.evaluation.statistics import estimate_mean
from mec_moe_agents.learning.algorithms import Learner
from mec_moe_agents.learning.checkpoint import load_checkpoint, save_checkpoint, save_policy
from mec_moe_agents.learning.logs import open_logger
from mec_moe_agents.learning.plan import Plan
from mec_moe_agents.learning.records import Evaluation, Progress
from mec_moe_agents.learning.run_folder import BEST, LAST, note_session, write_evaluations
from mec_moe_agents.learning.seeds import episode_seed, generator_seed, validation_seeds
from mec_moe_agents.learning.start import begin_from
from mec_moe_agents.learning.validation import evaluate_model
from mec_moe_env.config import Whole, reject
from mec_moe_env.files import recover_folder, replacing_folder

LOGGED_STEPS = 8192
"""Steps between two lines of the learner's own log, at least."""


class Watcher(Protocol):
    """Who wants to know how far a run is."""

    def began(self, done: int, total: int, same_code: bool) -> None:
        """Training begins, or goes on, after `done` of `total` steps, with the code as before."""

    def stepped(self, steps: int) -> None:
        """The learner made `steps` more."""

    def evaluated(self, progress: Progress) -> None:
        """There is a new checkpoint with a new evaluation."""


def train(plan: Plan, folder: Path, steps: int, watcher: Watcher) -> Progress:
    """Train until at least `steps` steps are made, from the last checkpoint if there is one.

    The run ends with a whole leg, so that it makes up to one leg more than asked. Afterwards
    `last` holds what training goes on from, `best` the weights of the best checkpoint, and
    `evaluations.csv` the learning curve.

    Args:
        plan: what to train.
        folder: of this run, see `open_run`.
        steps: steps of the learner in all.
        watcher: told about the progress.

    Raises:
        OSError: a checkpoint cannot be written.
        ValueError: `steps` is not positive, or the last checkpoint is damaged.
    """
    if not Whole(1).admits(steps):
        raise reject("steps", steps, Whole(1))
    with torch_threads(plan.threads):
        learner = Learner(plan)
        length = leg_steps(learner)
        total = math.ceil(steps / length) * length
        recover_folder(folder / BEST)
        progress = load_checkpoint(learner.model, folder / LAST) or Progress()
        learner.model.set_logger(open_logger(folder, progress.steps))
        watcher.began(progress.steps, total, note_session(folder, progress.steps))
        if not progress.evaluations:
            begin_from(plan, learner.model)
            progress = _record(learner, progress, 0.0, folder, watcher)
        while progress.steps < total:
            seconds = _run_leg(learner, progress.leg, length, watcher)
            progress = _record(learner, progress, seconds, folder, watcher)
        learner.close()
    return progress


def leg_steps(learner: Learner) -> int:
    """Return the steps between two checkpoints: whole episodes, rounded up to whole rollouts."""
    hyper = learner.plan.hyperparameters
    episode = learner.view.steps_per_episode(learner.plan.config)
    episodes = math.ceil(hyper.steps_per_leg / hyper.num_envs / episode)
    rollouts = math.ceil(episodes * episode / learner.rollout_steps)
    return rollouts * learner.rollout_steps * hyper.num_envs


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Have torch use so many threads inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _run_leg(learner: Learner, leg: int, steps: int, watcher: Watcher) -> float:
    """Begin new episodes with the leg's seeds and train; return the seconds it took."""
    model: Any = learner.model
    _begin_leg(model, learner.plan.seed, leg)
    learner.count_steps()
    begin = time.perf_counter()
    model.learn(
        steps,
        callback=_StepCounter(learner, watcher),
        log_interval=_log_interval(learner),
        reset_num_timesteps=False,
    )
    return time.perf_counter() - begin


def _log_interval(learner: Learner) -> int:
    """Return the updates, for DQN the episodes, between two lines of the learner's log."""
    plan = learner.plan
    episode = learner.view.steps_per_episode(plan.config)
    unit = episode if plan.algo == "dqn" else learner.rollout_steps * plan.hyperparameters.num_envs
    return max(1, LOGGED_STEPS // unit)


def _begin_leg(model: Any, seed: int, leg: int) -> None:
    """Forget all that a checkpoint does not hold."""
    number = generator_seed(seed, leg)
    set_random_seed(number)  # Stable-Baselines3 draws from the libraries' global generators
    model.action_space.seed(number)
    model.env.seed(episode_seed(seed, leg))
    model._last_obs = None
    model.ep_info_buffer = None
    if hasattr(model, "_last_lstm_states"):
        states = model._last_lstm_states
        model._last_lstm_states = type(states)(
            *(tuple(torch.zeros_like(part) for part in pair) for pair in states)
        )


def _record(
    learner: Learner, progress: Progress, seconds: float, folder: Path, watcher: Watcher
) -> Progress:
    """Evaluate, and write `best`, then `last`: a run that is taken up again repeats the rest."""
    plan, model = learner.plan, learner.model
    seeds = validation_seeds(plan.validation_episodes)
    returns = evaluate_model(plan, learner.view, model, seeds).metrics["return"]
    before = progress.evaluations[-1].train_seconds if progress.evaluations else 0.0
    evaluation = Evaluation(model.num_timesteps, *estimate_mean(returns), before + seconds)
    progress = progress.after(evaluation)
    if progress.best is evaluation:
        with replacing_folder(folder / BEST) as fresh:
            save_policy(model, fresh)
            learner.view.export(plan, model, fresh, model.num_timesteps)
    save_checkpoint(model, progress, folder / LAST)
    write_evaluations(folder, progress)
    watcher.evaluated(progress)
    return progress


class _StepCounter(BaseCallback):
    """Moves the schedules and the watcher on."""

    def __init__(self, learner: Learner, watcher: Watcher) -> None:
        super().__init__()
        self._learner = learner
        self._watcher = watcher

    def _on_step(self) -> bool:
        self._learner.count_steps()
        self._watcher.stepped(self.training_env.num_envs)
        return True
