"""The learner's own log: losses, entropy, speed."""

from __future__ import annotations

from pathlib import Path

from stable_baselines3.common.logger import CSVOutputFormat, KVWriter, Logger

from mec_moe_agents.learning.run_folder import LOGS


def open_logger(folder: Path, steps: int) -> Logger:
    """Log to CSV, one file for each session, and to TensorBoard where it is installed.

    Args:
        folder: of the run.
        steps: made before this session.

    Raises:
        OSError: the files cannot be written.
    """
    logs = folder / LOGS
    logs.mkdir(parents=True, exist_ok=True)
    writers: list[KVWriter] = [CSVOutputFormat(str(logs / f"from-{steps:09d}.csv"))]
    try:
        from stable_baselines3.common.logger import TensorBoardOutputFormat

        writers.append(TensorBoardOutputFormat(str(logs / "tensorboard")))
    except (ImportError, AssertionError):
        pass  # TensorBoard is not installed
    return Logger(str(logs), writers)
