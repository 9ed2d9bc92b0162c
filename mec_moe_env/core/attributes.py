"""Attributes and methods of the sub-environments of a vector environment, as Gymnasium has them."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv

from mec_moe_env.shown import shown

SINGLE = MappingProxyType(
    {"action_space": "single_action_space", "observation_space": "single_observation_space"}
)
"""Whose name differs between a vector environment and one of its sub-environments."""
BY_ITSELF = ("np_random", "np_random_seed")
"""Attributes of a vector environment that hold one value for each sub-environment."""
STRUCTURE = (
    "num_envs",
    "action_space",
    "observation_space",
    "single_action_space",
    "single_observation_space",
    "autoreset_mode",
    "metadata",
    "closed",
)
"""What arrays, spaces and the order of resets were built for."""
BY_ROW = ("scene",)
"""Methods that take the sub-environment as their first argument."""


class PerSubEnvironment:
    """`call`, `get_attr` and `set_attr`, with the results of a `SyncVectorEnv`."""

    num_envs: int
    unwrapped: Any

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Return what a method or an attribute gives for each sub-environment, n of them.

        Raises:
            AttributeError: there is none of that name.
            TypeError: it is a method of the whole environment, such as `reset`.
        """
        if callable(getattr(VectorEnv, name, None)):
            raise TypeError(f"{name}() is for all sub-environments at once: call it directly")
        member = getattr(_holder(self, SINGLE.get(name, name)), SINGLE.get(name, name))
        if name in BY_ITSELF:
            return tuple(member)
        if name in BY_ROW:
            return tuple(member(row, *args, **kwargs) for row in range(self.num_envs))
        if not callable(member):
            return (member,) * self.num_envs
        rows = member(*args, **kwargs)
        if not isinstance(rows, np.ndarray) or rows.shape[:1] != (self.num_envs,):
            raise TypeError(f"{name}() does not return a row per sub-environment")
        return tuple(rows)

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Return an attribute of each sub-environment, n of them.

        Raises:
            AttributeError: there is none of that name.
        """
        return self.call(name)

    def set_attr(self, name: str, values: Any) -> None:
        """Set an attribute, the same for all sub-environments.

        Args:
            name: of the attribute.
            values: the value, or a list or tuple with one for each sub-environment.

        Raises:
            ValueError: the values differ, are too few or too many, or the attribute belongs to
                the scenario or to how the environment is built, which is fixed when it is made.
        """
        if name in STRUCTURE:
            raise ValueError(f"{name} is fixed: the environment is built for it, make a new one")
        if name == "config" or name in self.unwrapped.config.to_dict():
            raise ValueError(f"{name} is fixed: it belongs to the scenario, make a new environment")
        if isinstance(values, list | tuple):
            same = all(np.array_equal(value, values[0]) for value in values)
            if len(values) != self.num_envs or not same:
                raise ValueError(
                    f"{name} is common to all sub-environments: one value, or the same "
                    f"{self.num_envs} times, got {shown(values)}"
                )
            values = values[0]
        setattr(_holder(self, name), name, values)


def _holder(env: Any, name: str) -> Any:
    """Return the outermost layer that has the attribute; the environment itself if none has."""
    return next((layer for layer in layers(env) if hasattr(layer, name)), env.unwrapped)


def layers(env: Any) -> Iterator[Any]:
    """Yield an environment's wrappers from the outermost on, and the environment itself last."""
    while env is not None:
        yield env
        env = getattr(env, "env", None)
