"""A learner on disk: arrays as .npz, the rest as JSON, nothing pickled.

`policy.npz`     weights
`optimizer.npz`  state of the optimizer
`state.json`     counters, hyperparameters of the optimizer, progress of the run
`replay.npz`     replay buffer (DQN only)

Random generators and environments have no state here: each segment of a run, from checkpoint to
checkpoint, begins with new episodes and generators seeded by the run's seed and the segment's
number, in a run that goes through as in one that is taken up again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mec_moe_agents.training.run_folder import Evaluation, Progress
from mec_moe_env import files

POLICY, OPTIMIZER = "policy.npz", "optimizer.npz"
STATE, REPLAY = "state.json", "replay.npz"
COUNTERS = ("num_timesteps", "_n_updates", "_episode_num", "_n_calls", "exploration_rate")
REPLAY_ARRAYS = ("actions", "rewards", "dones", "timeouts")


def save_policy(model: Any, folder: Path) -> None:
    """Write the weights into a folder."""
    files.write_arrays(folder / POLICY, _arrays(model.policy.state_dict()))


def load_policy(model: Any, folder: Path) -> None:
    """Read the weights of a model of the same architecture.

    Raises:
        OSError: the file is missing.
        ValueError: the file is damaged, or its weights do not fit.
    """
    file = folder / POLICY
    try:
        model.policy.load_state_dict(_tensors(files.read_arrays(file)))
    except RuntimeError as error:
        raise ValueError(f"{file}: the weights do not fit the policy: {error}") from error


def save_checkpoint(model: Any, progress: Progress, folder: Path) -> None:
    """Write everything that training goes on from; the folder is replaced as a whole."""
    with files.replacing_folder(folder) as fresh:
        save_policy(model, fresh)
        arrays, settings = _split(model.policy.optimizer.state_dict())
        files.write_arrays(fresh / OPTIMIZER, arrays)
        state = {
            "progress": {
                "leg": progress.segment,
                "evaluations": [dataclasses.asdict(each) for each in progress.evaluations],
            },
            "counters": {name: getattr(model, name) for name in COUNTERS if hasattr(model, name)},
            "optimizer": settings,
        }
        files.write_json(fresh / STATE, state, indent=1)
        if hasattr(model, "replay_buffer"):
            files.write_arrays(fresh / REPLAY, _replay_arrays(model.replay_buffer))


def load_checkpoint(model: Any, folder: Path) -> Progress:
    """Put a fresh model into the state of a checkpoint, if there is one.

    Raises:
        OSError: a file is missing or cannot be read.
        ValueError: a file is damaged or of another model.
    """
    files.recover_folder(folder)
    if not folder.exists():
        return Progress()
    load_policy(model, folder)
    try:
        state = files.read_json(folder / STATE)
        for name, value in state["counters"].items():
            setattr(model, name, value)
        joined = _join(files.read_arrays(folder / OPTIMIZER), state["optimizer"])
        model.policy.optimizer.load_state_dict(joined)
        evaluations = state["progress"]["evaluations"]
        progress = Progress(tuple(Evaluation(**each) for each in evaluations))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{folder / STATE}: not a checkpoint: {error}") from error
    if hasattr(model, "replay_buffer"):
        _fill_replay(model.replay_buffer, files.read_arrays(folder / REPLAY))
    return progress


def _arrays(state: Mapping[str, torch.Tensor]) -> files.Arrays:
    return {name: tensor.detach().cpu().numpy() for name, tensor in state.items()}


def _tensors(arrays: files.Arrays) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _split(state: Any) -> tuple[files.Arrays, dict[str, Any]]:
    """Part an optimizer's state into arrays `index.name` and what JSON can hold."""
    tensors: dict[str, torch.Tensor] = {}
    numbers: dict[str, Any] = {}
    for index, entries in state["state"].items():
        for name, value in entries.items():
            kind: dict[str, Any] = tensors if isinstance(value, torch.Tensor) else numbers
            kind[f"{index}.{name}"] = value
    return _arrays(tensors), {"numbers": numbers, "param_groups": state["param_groups"]}


def _join(arrays: files.Arrays, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Put together what `_split` parted."""
    state: dict[int, dict[str, Any]] = {}
    for key, value in {**_tensors(arrays), **settings["numbers"]}.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    return {"state": state, "param_groups": settings["param_groups"]}


def _replay_arrays(buffer: Any) -> files.Arrays:
    filled = buffer.buffer_size if buffer.full else buffer.pos
    arrays = {name: array[:filled] for name, array in _replay_views(buffer).items()}
    return {**arrays, "pos": np.array(buffer.pos), "full": np.array(buffer.full)}


def _fill_replay(buffer: Any, arrays: files.Arrays) -> None:
    for name, array in _replay_views(buffer).items():
        array[: len(arrays[name])] = arrays[name]
    buffer.pos, buffer.full = int(arrays["pos"]), bool(arrays["full"])


def _replay_views(buffer: Any) -> dict[str, NDArray[Any]]:
    """Name the arrays of a replay buffer, whose observations may be dictionaries."""
    views: dict[str, NDArray[Any]] = {name: getattr(buffer, name) for name in REPLAY_ARRAYS}
    for kind in ("observations", "next_observations"):
        entries = getattr(buffer, kind)
        if isinstance(entries, dict):
            views |= {f"{kind}:{key}": array for key, array in entries.items()}
        else:
            views[kind] = entries
    return views
