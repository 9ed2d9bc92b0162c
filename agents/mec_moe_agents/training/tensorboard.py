"""What TensorBoard shows beside the learner's own log: evaluations, and baselines as lines.

Tags are `evaluation/` and the name of a measure in `rows.csv`, for the run and for each baseline,
which is a run of its own to TensorBoard and so a line in the same charts. All of it is of the
validation seeds, which `mec-moe compare` never takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common import logger

from mec_moe_agents.evaluation.overrides import file_stem
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.training.run_folder import LOGS

FOLDER = "tensorboard"
"""In the logs of a run; in it one more for each baseline."""
GROUP = "evaluation"


def open_writer(folder: Path) -> logger.TensorBoardOutputFormat | None:
    """Return what writes events into a folder, or None where TensorBoard is not installed."""
    try:
        return logger.TensorBoardOutputFormat(str(folder))
    except AssertionError:
        return None


def show_evaluation(log: logger.Logger, episodes: Episodes, steps: int) -> None:
    """Write the means of an evaluation after so many steps, where a log goes to TensorBoard.

    Into the file of the learner's own log: TensorBoard never goes back to an earlier one.
    """
    shown = _means(episodes)
    for output in log.output_formats:
        if isinstance(output, logger.TensorBoardOutputFormat):
            output.write(shown, dict.fromkeys(shown, ()), steps)


def show_baselines(folder: Path, baselines: Mapping[str, Episodes], steps: Iterable[int]) -> None:
    """Write the means of each baseline at each of some steps, where TensorBoard is installed.

    Args:
        folder: of the run.
        baselines: their episodes on the validation seeds.
        steps: the ends of the line.
    """
    for agent, episodes in baselines.items():
        writer = open_writer(folder / LOGS / FOLDER / file_stem(agent))
        if writer is None:
            return
        shown = _means(episodes)
        for step in steps:
            writer.write(shown, dict.fromkeys(shown, ()), step)
        writer.close()


def _means(episodes: Episodes) -> dict[str, Any]:
    """Return the means by tag, without those that no episode has a value for."""
    known = {name: each[~np.isnan(each)] for name, each in episodes.metrics.items()}
    return {f"{GROUP}/{name}": each.mean() for name, each in known.items() if each.size}
