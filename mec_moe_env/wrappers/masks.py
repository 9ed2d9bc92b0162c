"""Masks as Gymnasium's spaces take them when they sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mec_moe_env.shown import shown


class MaskedDiscrete(spaces.Discrete):
    """A `Discrete` whose `sample` takes the masks of infos, of booleans, beside those of int8."""

    def sample(self, mask: Any = None, *args: Any, **options: Any) -> Any:
        """Draw one of the actions that the mask, (n,), admits; of all without one."""
        if isinstance(mask, np.ndarray) and mask.dtype == np.bool_:
            mask = mask.astype(np.int8)
        return super().sample(mask, *args, **options)


class MaskedMultiDiscrete(spaces.MultiDiscrete):
    """A `MultiDiscrete` whose `sample` takes the flat masks of infos, beside tuples of masks."""

    def sample(self, mask: Any = None, *args: Any, **options: Any) -> Any:
        """Draw one of the actions that the mask, (sum(nvec),), admits; of all without one."""
        if isinstance(mask, np.ndarray):
            mask = split_mask(self, mask)
        return super().sample(mask, *args, **options)


def split_mask(space: Any, mask: NDArray[Any]) -> tuple[NDArray[np.int8], ...]:
    """Split a flat mask into what `MultiDiscrete.sample` takes: one int8 array for each choice.

    Args:
        space: the `MultiDiscrete` action space of an environment, or of all sub-environments of a
            flat vector environment.
        mask: `info["action_mask"]`, (sum(nvec),), or that of all sub-environments.

    Example:
        >>> from mec_moe_env import OffloadingEnv
        >>> from mec_moe_env.wrappers import split_mask
        >>> env = OffloadingEnv("toy")
        >>> observation, info = env.reset(seed=0)
        >>> split_mask(env.action_space, info["action_mask"])
        (array([1, 1, 1], dtype=int8), array([1, 1], dtype=int8))
        >>> action = env.action_space.sample(split_mask(env.action_space, info["action_mask"]))

    Raises:
        TypeError: the space is no MultiDiscrete of one axis. Gymnasium makes a Box of several: take
            `single_action_space`, and the mask row by row.
        ValueError: the mask does not fit the space.
    """
    if not isinstance(space, spaces.MultiDiscrete) or space.nvec.ndim != 1:
        raise TypeError(f"expected a MultiDiscrete of one axis, got {shown(space)}")
    nvec = space.nvec
    if np.size(mask) != nvec.sum():
        raise ValueError(
            f"mask has {np.size(mask)} entries, expected {nvec.sum()} for {shown(space)}"
        )
    parts = np.split(np.ravel(mask), np.cumsum(nvec)[:-1])
    return tuple(part.astype(np.int8) for part in parts)
