"""Tasks made of labelled arrays of the user's own."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_env.config import Real, Whole, check, reject
from mec_moe_env.core.buffers import Flags, Floats
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.tasks.checks import LARGEST, first_oversized
from mec_moe_env.tasks.images import ImageTables, Labelled, make_sample_tasks
from mec_moe_env.tasks.stream import Evaluator

SHARE = Real(0.0, 1.0)


class ArrayTasks:
    """Labelled samples as tasks: pass it as `OffloadingConfig(tasks=ArrayTasks(X, y), ...)`.

    A task of a type is k different training samples of it, drawn by compiled code; a model's error
    is its mean squared loss on the type's held-out samples, as with the digits (our extension).
    Features are taken as they are: scale and centre them as a linear model wants.

    Example:
        >>> import numpy as np
        >>> from mec_moe_env import OffloadingEnv
        >>> from mec_moe_env.tasks import ArrayTasks
        >>> rng = np.random.default_rng(0)
        >>> tasks = ArrayTasks(rng.normal(size=(200, 3)), np.arange(200) % 4)
        >>> env = OffloadingEnv(tasks=tasks, num_types=2, feature_dim=3)
        >>> observation, info = env.reset(seed=0)
    """

    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        types: ArrayLike | None = None,
        heldout: float | ArrayLike = 0.3,
        split_seed: int = 0,
    ) -> None:
        """Check and split the samples.

        Args:
            X: (n, ...), features; what comes after the first axis is flattened to d.
            y: (n,). With `types`, labels of two kinds, the greater of which becomes +1. Without,
                classes: type 0 tells the first two apart in sorted order, type 1 the next two, …
            types: (n,), the type of each sample, 0..N − 1.
            heldout: the share of samples that errors are measured by, drawn with `split_seed`; or
                which they are, (n,) booleans.
            split_seed: of that draw.

        Raises:
            ValueError: lengths differ, a number is missing, not finite or too large, labels are
                not of two kinds, classes are odd in number, or a type lacks training or held-out
                samples.
        """
        samples = np.asarray(X, np.float64)
        if samples.ndim < 2 or samples.size == 0:
            raise ValueError(f"X has shape {samples.shape}: it must be (n, features), not empty")
        samples = samples.reshape(len(samples), -1)
        place = first_oversized(samples)
        if place is not None:
            allowed = f"finite and at most {LARGEST:g} in size"
            raise reject(f"X{list(place)}", float(samples[place]), allowed)
        kinds = _of_length("y", y, len(samples))
        held = _split(heldout, split_seed, len(samples))
        if types is None:
            labels, numbers = _pairs(kinds)
        else:
            labels = _two_kinds(kinds)
            numbers = _of_length("types", types, len(samples))
        self._train, self._heldout = _by_type(samples, labels, numbers, held)
        digest = hashlib.sha256()
        for array in (samples, labels, numbers.astype(np.int64), held):
            digest.update(np.ascontiguousarray(array).tobytes())
        self._digest = digest.hexdigest()[:16]

    @property
    def num_types(self) -> int:
        """N."""
        return len(self._train)

    @property
    def feature_dim(self) -> int:
        """Features of a sample, d."""
        return int(self._train[0][0].shape[1])

    def __repr__(self) -> str:
        return f"ArrayTasks(num_types={self.num_types}, sha256={self._digest})"

    def tables(self, config: OffloadingConfig) -> tuple[ImageTables, Evaluator]:
        """Return the samples as compiled code reads them, and how models are judged.

        Raises:
            ValueError: `num_types` or `feature_dim` is not that of the samples, or a type has fewer
                training samples than a task needs.
        """
        for field in ("num_types", "feature_dim"):
            if getattr(config, field) != getattr(self, field):
                raise reject(field, getattr(config, field), f"{getattr(self, field)}, as in {self}")
        return make_sample_tasks(config, self._train, self._heldout)


def _of_length(name: str, given: Any, count: int) -> NDArray[Any]:
    array = np.asarray(given)
    if array.shape != (count,) or array.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} has dtype {array.dtype} and shape {array.shape}: it must be numbers, "
            f"({count},), one for each sample"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int((~np.isfinite(array)).argmax())
        raise reject(f"{name}[{row}]", float(array[row]), "finite")
    return array


def _split(heldout: Any, seed: int, count: int) -> Flags:
    """Return which samples are held out, (n,)."""
    if isinstance(heldout, float | int) and not isinstance(heldout, bool):
        check("heldout", heldout, SHARE)
        check("split_seed", seed, Whole(0))
        held = np.zeros(count, np.bool_)
        held[np.random.default_rng(seed).permutation(count)[: round(heldout * count)]] = True
        return held
    flags = np.asarray(heldout)
    if flags.dtype != np.bool_ or flags.shape != (count,):
        raise ValueError(
            f"heldout has dtype {flags.dtype} and shape {flags.shape}: it must be {SHARE}, "
            f"or booleans, ({count},)"
        )
    return flags


def _pairs(classes: NDArray[Any]) -> tuple[Floats, NDArray[np.int64]]:
    """Return labels ±1 and types, (n,), of which each tells two classes apart."""
    known, rank = np.unique(classes, return_inverse=True)
    if len(known) % 2 == 1:
        raise ValueError(
            f"y has {len(known)} classes: they must be even in number, as a type is a pair of "
            "them; leave one out, or give types"
        )
    return np.where(rank % 2 == 1, 1.0, -1.0), (rank // 2).astype(np.int64)


def _two_kinds(labels: NDArray[Any]) -> Floats:
    known = np.unique(labels)
    if len(known) != 2:
        shown = ", ".join(map(str, known[:5].tolist()))
        raise ValueError(f"y has the labels {shown}: with types there must be two kinds")
    return np.where(labels == known[1], 1.0, -1.0)


def _by_type(
    samples: Floats, labels: Floats, types: NDArray[Any], held: Flags
) -> tuple[list[Labelled], list[Labelled]]:
    """Return the training and the held-out samples of each type."""
    last = Whole(0, 10**5 - 1)
    for row in range(len(types)):
        if types[row] != int(types[row]) or not last.admits(int(types[row])):
            raise reject(f"types[{row}]", types[row].item(), last)
    train: list[Labelled] = []
    heldout: list[Labelled] = []
    for n in range(int(types.max()) + 1):
        for name, part, chosen in (("training", train, ~held), ("held-out", heldout, held)):
            rows = (types == n) & chosen
            if not rows.any():
                raise ValueError(f"type {n} has no {name} sample: each type must have some")
            part.append((np.ascontiguousarray(samples[rows]), labels[rows]))
    return train, heldout
