"""The folder of a run: what is in it, how far the run is, and whether it is this run's.

| in it | what |
|---|---|
| `config.json` | the plan |
| `versions.json` | with which code and packages each session ran |
| `evaluations.csv` | the learning curve |
| `best`, `last` | checkpoints: the best one's weights; what training goes on from |
| `logs` | the learner's own: losses, entropy, speed |
| `cells`, `curves.png` | results of the baselines, and the curve drawn beside them |
| `rows.csv`, `summary.json`, `comparison.png`, `run.json` | how the best stands among baselines |
| `comparisons` | the same on other seeds, by `mec-moe evaluate` |
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mec_moe_agents.evaluation.overrides import differences
from mec_moe_agents.evaluation.provenance import current_provenance
from mec_moe_agents.training.claim import claimed
from mec_moe_agents.training.plan import Plan
from mec_moe_env.files import read_json, write_json

CONFIG, VERSIONS = "config.json", "versions.json"
EVALUATIONS, CURVES = "evaluations.csv", "curves.png"
BEST, LAST, LOGS, CELLS, COMPARISONS = "best", "last", "logs", "cells", "comparisons"
STANDING = ("rows.csv", "summary.json", "curves.npz", "run.json")
"""How the best checkpoint stands among the baselines."""
DRAWN = tuple(
    f"{name}.{kind}" for name in ("curves", "comparison") for kind in ("png", "svg", "pdf")
)
CHECKPOINTS = tuple(name + end for name in (BEST, LAST) for end in ("", ".tmp", ".old"))
WRITTEN = (
    *(LOGS, CELLS, COMPARISONS, *CHECKPOINTS, CONFIG, VERSIONS, EVALUATIONS),
    *(*STANDING, *DRAWN),
)
PACKAGES = ("gymnasium", "numba", "numpy", "sb3-contrib", "stable-baselines3", "torch")


@dataclass(frozen=True)
class Evaluation:
    """How good the policy was at one checkpoint, on the validation seeds."""

    steps: int
    """Steps of the learner until then: slots or layers, or decisions."""
    mean_return: float
    low: float
    """95 % bootstrap interval of the mean."""
    high: float
    train_seconds: float
    """Wall time of training until then, evaluations and start-up left out."""


@dataclass(frozen=True)
class Progress:
    """Where a run is: one evaluation before the first segment, and one after each."""

    evaluations: tuple[Evaluation, ...] = ()

    @property
    def segment(self) -> int:
        """The next one, from 0."""
        return max(len(self.evaluations) - 1, 0)

    @property
    def steps(self) -> int:
        """Steps made so far."""
        return self.evaluations[-1].steps if self.evaluations else 0

    @property
    def best(self) -> Evaluation:
        """The evaluation with the highest mean return, the first of equals.

        Raises:
            ValueError: there is none yet.
        """
        return max(self.evaluations, key=lambda evaluation: evaluation.mean_return)


def open_run(folder: Path, plan: Plan, *, fresh: bool = False) -> None:
    """Make the folder of a run, or see that it holds this very run.

    `fresh` removes the run that is there, and nothing else.

    Raises:
        ValueError: another run is there; the first fields that differ are named.
        OSError: the folder cannot be written, or another process trains there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with claimed(folder):
        _enter(folder, plan, fresh)


def _enter(folder: Path, plan: Plan, fresh: bool) -> None:
    if fresh:
        for name in WRITTEN:
            remove(folder / name)
    if not (folder / CONFIG).exists():
        if (folder / LAST).exists():
            raise ValueError(f"{folder} has a checkpoint but no {CONFIG}: take another --out")
        write_json(folder / CONFIG, plan.describe())
        return
    there, here = _read_object(folder / CONFIG), plan.describe()
    differing = differences(_flattened(there), _flattened(here))
    if differing:
        raise ValueError(
            f"{folder} holds another run: {differing}. "
            "Take another --out, or --fresh to begin anew there"
        )


def read_plan(folder: Path) -> Plan:
    """Return the plan of the run in a folder.

    Raises:
        FileNotFoundError: there is none.
        ValueError: its description is damaged.
    """
    if not (folder / CONFIG).exists():
        raise FileNotFoundError(f"{folder} holds no training run: it has no {CONFIG}")
    description = _read_object(folder / CONFIG)
    try:
        return Plan.from_description(description)
    except ValueError as error:
        raise ValueError(f"{folder / CONFIG}: {error}") from error


def _read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object; ValueError if the file holds none."""
    content = read_json(path)
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a JSON object, got {type(content).__name__}")
    return content


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def note_session(folder: Path, steps: int) -> bool:
    """Write down with which versions a run goes on; return whether the code is the same as before.

    Raises:
        ValueError: the file of earlier sessions is damaged.
    """
    provenance = current_provenance()
    session: dict[str, Any] = {
        "from_step": steps,
        "mec-moe-env": provenance.version,
        "commit": provenance.commit,
        "code": provenance.fingerprint,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "packages": {name: version(name) for name in PACKAGES},
    }
    path = folder / VERSIONS
    sessions = _read_sessions(path) if path.exists() else []
    write_json(path, {"sessions": [*sessions, session]})
    same = ("mec-moe-env", "code", "packages")
    return all(before.get(key) == session[key] for before in sessions[-1:] for key in same)


def _read_sessions(path: Path) -> list[dict[str, Any]]:
    sessions = _read_object(path).get("sessions")
    if not isinstance(sessions, list) or not all(isinstance(each, dict) for each in sessions):
        raise ValueError(f"{path}: expected a list of objects under 'sessions'")
    return sessions


def _flattened(description: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in description.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat
