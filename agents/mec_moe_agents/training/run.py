"""A run: train it in segments of whole episodes, with a checkpoint after each, and use it."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from stable_baselines3.common import logger
from stable_baselines3.common.utils import set_random_seed

from mec_moe_agents.agent import Agent
from mec_moe_agents.evaluation.rollout import Episodes, batches, make_vector_env, run_episodes
from mec_moe_agents.evaluation.statistics import estimate_mean
from mec_moe_agents.training import run_folder, tensorboard
from mec_moe_agents.training.checkpoint import (
    load_checkpoint,
    load_policy,
    save_checkpoint,
    save_policy,
)
from mec_moe_agents.training.claim import claimed
from mec_moe_agents.training.learner import Learner, torch_threads
from mec_moe_agents.training.plan import Plan, episode_seed, generator_seed, validation_seeds
from mec_moe_agents.training.policy import begin_from
from mec_moe_env import DMoEVectorEnv, OffloadingVectorEnv
from mec_moe_env.config import Whole, reject
from mec_moe_env.files import recover_folder, replacing_folder, write_csv


class Watcher(Protocol):
    """Who wants to know how far a run is."""

    def began(self, done: int, total: int, same_code: bool) -> None:
        """Training begins, or goes on, after `done` of `total` steps, with the code as before."""

    def stepped(self, steps: int) -> None:
        """The learner made `steps` more."""

    def evaluated(self, progress: run_folder.Progress) -> None:
        """There is a new checkpoint with a new evaluation."""


def train(plan: Plan, folder: Path, steps: int, watcher: Watcher) -> run_folder.Progress:
    """Train until at least `steps` steps are made, from the last checkpoint if there is one.

    The run ends with a whole segment, so that it makes up to one segment more than asked.
    Afterwards `last` holds what training goes on from, `best` the weights of the best checkpoint,
    and `evaluations.csv` the learning curve.

    Args:
        plan: what to train.
        folder: of this run, see `open_run`.
        steps: steps of the learner in all.
        watcher: told about the progress.

    Raises:
        OSError: a checkpoint cannot be written, or another process trains in the folder.
        ValueError: `steps` is not positive, or the last checkpoint is damaged.
    """
    if not Whole(1).admits(steps):
        raise reject("steps", steps, Whole(1))
    folder.mkdir(parents=True, exist_ok=True)
    with claimed(folder), torch_threads(plan.threads):
        learner = Learner(plan)
        total = math.ceil(steps / learner.segment_steps) * learner.segment_steps
        recover_folder(folder / run_folder.BEST)
        progress = load_checkpoint(learner.model, folder / run_folder.LAST)
        learner.model.set_logger(open_logger(folder, progress.steps))
        watcher.began(progress.steps, total, run_folder.note_session(folder, progress.steps))
        if not progress.evaluations:
            begin_from(plan, learner.model)
            progress = _record(learner, progress, 0.0, folder, watcher)
        while progress.steps < total:
            seconds = _train_segment(learner, progress.segment, watcher)
            progress = _record(learner, progress, seconds, folder, watcher)
        learner.close()
    return progress


def open_logger(folder: Path, steps: int) -> logger.Logger:
    """Log losses, entropy and speed to CSV, and to TensorBoard where it is installed.

    The folder of the run gets one CSV file for each session, named by the steps made before it.
    """
    logs = folder / run_folder.LOGS
    logs.mkdir(parents=True, exist_ok=True)
    writers: list[logger.KVWriter] = [logger.CSVOutputFormat(str(logs / f"from-{steps:09d}.csv"))]
    events = tensorboard.open_writer(logs / tensorboard.FOLDER)
    if events is not None:
        writers.append(events)
    return logger.Logger(str(logs), writers)


def evaluate_model(learner: Learner, seeds: Sequence[int]) -> Episodes:
    """Run what a learner has learned on one episode per seed, as `mec-moe compare` does."""
    config = learner.plan.config
    parts = []
    for chunk in batches(config, seeds):
        env = make_vector_env(config, len(chunk))
        parts.append(run_episodes(learner.view.agent(learner.model, env), env, chunk))
        env.close()
    return Episodes.concatenate(parts)


def evaluate_run(folder: Path, seeds: Sequence[int]) -> Episodes:
    """Run the best checkpoint on one episode per seed of the scenario it was trained in.

    Raises:
        OSError: a file is missing.
        ValueError: a file is damaged.
    """
    learner = load_learner(folder, run_folder.BEST)
    with torch_threads(learner.plan.threads):
        episodes = evaluate_model(learner, seeds)
    learner.close()
    return episodes


def load_agent(
    folder: Path, env: OffloadingVectorEnv | DMoEVectorEnv, checkpoint: str = run_folder.BEST
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
    learner = load_learner(folder, checkpoint)
    try:
        return learner.view.agent(learner.model, env)
    except ValueError as error:
        raise ValueError(f"{folder / checkpoint}: {error}") from error


def load_learner(folder: Path, checkpoint: str) -> Learner:
    """Build the learner of a run, not to train, and give it the weights of a checkpoint."""
    plan = run_folder.read_plan(folder)
    # A process that trains there puts its folders in order itself.
    with suppress(BlockingIOError), claimed(folder):
        recover_folder(folder / checkpoint)
    # Its environment only shows the spaces.
    small = plan.hyperparameters.override(num_envs=1)
    learner = Learner(dataclasses.replace(plan, hyperparameters=small))
    load_policy(learner.model, folder / checkpoint)
    return learner


def _train_segment(learner: Learner, segment: int, watcher: Watcher) -> float:
    """Begin new episodes with the segment's seeds and train; return the seconds it took."""

    def count(*_: Any) -> bool:
        learner.count_steps()
        watcher.stepped(learner.plan.hyperparameters.num_envs)
        return True

    _forget(learner.model, learner.plan.seed, segment)
    learner.count_steps()
    begin = time.perf_counter()
    learner.model.learn(
        learner.segment_steps,
        callback=count,
        log_interval=learner.log_interval,
        reset_num_timesteps=False,
    )
    return time.perf_counter() - begin


def _forget(model: Any, seed: int, segment: int) -> None:
    """Forget all that a checkpoint does not hold, a recurrent memory too: new episodes clear it."""
    number = generator_seed(seed, segment)
    set_random_seed(number)  # Stable-Baselines3 draws from the libraries' global generators
    model.action_space.seed(number)
    model.env.seed(episode_seed(seed, segment))
    model._last_obs = None
    model.ep_info_buffer = None


def _record(
    learner: Learner, progress: run_folder.Progress, seconds: float, folder: Path, watcher: Watcher
) -> run_folder.Progress:
    """Evaluate, and write `best`, then `last`: a run that is taken up again repeats the rest."""
    model = learner.model
    seeds = validation_seeds(learner.plan.validation_episodes)
    episodes = evaluate_model(learner, seeds)
    before = progress.evaluations[-1].train_seconds if progress.evaluations else 0.0
    evaluation = run_folder.Evaluation(
        model.num_timesteps, *estimate_mean(episodes.metrics["return"]), before + seconds
    )
    progress = run_folder.Progress((*progress.evaluations, evaluation))
    if progress.best is evaluation:
        with replacing_folder(folder / run_folder.BEST) as fresh:
            save_policy(model, fresh)
            learner.view.export(model, fresh)
    save_checkpoint(model, progress, folder / run_folder.LAST)
    write_csv(folder / run_folder.EVALUATIONS, map(dataclasses.asdict, progress.evaluations))
    tensorboard.show_evaluation(model.logger, episodes, evaluation.steps)
    watcher.evaluated(progress)
    return progress
