"""The folder of a run of `mec-moe train` as an agent: its best checkpoint acts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mec_moe_agents.agent import Agent
from mec_moe_agents.extras import explain
from mec_moe_agents.outside.adapters import Adapter
from mec_moe_agents.outside.building import adapt
from mec_moe_agents.outside.code import digest_of_file
from mec_moe_env.config import Config

BEST = Path("best") / "policy.npz"
CONFIG = "config.json"


def config_of_run(folder: Path) -> Config:
    """Return the configuration that a run was trained in.

    Raises:
        FileNotFoundError: the folder holds no run.
        ValueError: its description is damaged.
        ImportError: the extra `rl` is not installed.
    """
    try:
        from mec_moe_agents.training.run_folder import read_plan
    except ImportError as error:
        raise ImportError(explain(error, f"the training run {folder}")) from error
    return read_plan(folder).config


def misfit(folder: Path, config: Config) -> str:
    """Say why a run cannot act in a scenario; empty if it can."""
    trained = config_of_run(folder)
    if type(trained) is type(config) and trained.observation_shapes == config.observation_shapes:
        return ""
    return (
        f"{folder} was trained for observations of the shapes {trained.observation_shapes}, "
        f"this scenario has {config.observation_shapes}"
    )


def load_run(folder: Path, config: Config, env: Any) -> Agent:
    """Build the agent.

    Raises:
        OSError: a file is missing.
        ValueError: a file is damaged, or the run is for another scenario.
        ImportError: the extra `rl` is not installed.
    """
    problem = misfit(folder, config)
    if problem:
        raise ValueError(problem)
    try:
        from mec_moe_agents.training.run import load_agent
    except ImportError as error:
        raise ImportError(explain(error, f"the training run {folder}")) from error
    adapted = adapt(load_agent(folder, env), env)
    return adapted if isinstance(adapted, Adapter) else Adapter(adapted, env)


def origin_of_run(folder: Path) -> dict[str, str]:
    """Return digests of the plan and of the best checkpoint's weights, of those that are there."""
    files = [file for file in (Path(CONFIG), BEST) if (folder / file).is_file()]
    return {f"{file.as_posix()} sha256": digest_of_file(folder / file) for file in files}
