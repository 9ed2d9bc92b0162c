"""The file of a submission: a manifest and arrays in one .npz, nothing pickled.

| array | what |
|---|---|
| `manifest` | JSON text, see `mec_moe_agents.suite.manifest` |
| `actions` | (n, T, A), the flat actions of every step, unsigned integers |
| `rewards` | (n, T), what they brought |
| `returns` | (n,), sums of the rewards |
| `content` | SHA-256 of all the others |
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.suite.manifest import Manifest
from mec_moe_agents.suite.play import Recording
from mec_moe_env.core.buffers import Floats
from mec_moe_env.files import read_arrays, write_arrays, write_json

ARRAYS = ("manifest", "actions", "rewards", "returns")
CONTENT = "content"


@dataclass(frozen=True)
class Submission:
    """n episodes of T steps, and who played them."""

    manifest: Manifest
    actions: NDArray[Any]
    """(n, T, A), unsigned integers."""
    rewards: Floats
    """(n, T)."""
    returns: Floats
    """(n,)."""
    intact: bool = True
    """Whether the file's content is what its checksum says."""

    @classmethod
    def of(cls, manifest: Manifest, recording: Recording) -> Self:
        """Submit what was recorded."""
        return cls(manifest, recording.actions, recording.rewards, recording.returns)

    def save(self, path: Path) -> None:
        """Write the file.

        Raises:
            OSError: the folder cannot be written.
        """
        arrays = {
            "manifest": np.array(json.dumps(self.manifest.to_document(), sort_keys=True)),
            "actions": self.actions,
            "rewards": self.rewards,
            "returns": self.returns,
        }
        content = np.array(content_checksum(arrays))
        write_arrays(path, {**arrays, CONTENT: content}, compressed=True)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file; what it claims is for `verify` to judge.

        Raises:
            FileNotFoundError: there is none.
            ValueError: it is damaged or truncated, or an array or a manifest field is missing or of
                a wrong kind; it is named.
        """
        arrays = read_arrays(path, (*ARRAYS, CONTENT))
        intact = str(arrays[CONTENT]) == content_checksum(arrays)
        try:
            manifest = Manifest.from_document(json.loads(str(arrays["manifest"])))
        except (RecursionError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: manifest: {error}") from error
        actions, rewards, returns = (arrays[name] for name in ARRAYS[1:])
        if actions.dtype.kind != "u" or actions.ndim != 3:
            raise ValueError(
                f"{path}: actions must be unsigned integers (n, T, A), "
                f"got {actions.dtype} of the shape {actions.shape}"
            )
        for name, array, shape in (
            ("rewards", rewards, actions.shape[:2]),
            ("returns", returns, actions.shape[:1]),
        ):
            if array.dtype != np.float64 or array.shape != shape:
                raise ValueError(
                    f"{path}: {name} must be float64 of the shape {shape}, "
                    f"got {array.dtype} of the shape {array.shape}"
                )
        return cls(manifest, actions, rewards, returns, intact)


def content_checksum(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the SHA-256 of the names, types, shapes and values of a submission's arrays."""
    digest = hashlib.sha256()
    for name in ARRAYS:
        array = arrays[name]
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{name} {little.dtype.str} {array.shape}\0".encode())
        digest.update(np.ascontiguousarray(little).tobytes())
    return digest.hexdigest()


def write_times(path: Path, manifest: Manifest, recording: Recording, threads: int) -> None:
    """Write the times of the decisions, which no two runs share, beside a submission.

    Raises:
        OSError: the folder cannot be written.
    """
    seconds = recording.seconds
    median, most = np.quantile(seconds, [0.5, 0.95]).tolist()
    write_json(
        path,
        {
            "agent": manifest.claims.agent,
            "task": manifest.task,
            "split": manifest.split,
            "decisions": seconds.size,
            "seconds_per_decision": {
                "mean": float(seconds.mean()),
                "median": median,
                "95 %": most,
            },
            "threads": threads,
            "processor": manifest.processor,
            "versions": manifest.versions,
        },
    )
