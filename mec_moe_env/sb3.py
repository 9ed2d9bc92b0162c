"""The native vector environments as Stable-Baselines3 wants them.

Stable-Baselines3 has a vector API of its own and refuses Gymnasium's. Importing this module needs
it (the extra `rl`); importing `mec_moe_env` does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from mec_moe_env.core.attributes import layers
from mec_moe_env.core.autoreset import AutoresetMode
from mec_moe_env.core.buffers import Over
from mec_moe_env.core.simulator import check_options
from mec_moe_env.wrappers import (
    FlatAction,
    FlatActionVector,
    FlatObservation,
    FlatObservationVector,
    MaskedObservation,
    MaskedObservationVector,
)

try:
    from stable_baselines3.common.vec_env import VecEnv
    from stable_baselines3.common.vec_env.base_vec_env import (
        VecEnvIndices,
        VecEnvObs,
        VecEnvStepReturn,
    )
except ImportError as error:
    raise ImportError(
        "mec_moe_env.sb3 needs Stable-Baselines3: pip install 'mec-moe-env[rl]'"
    ) from error

SCALAR_FORMS: Mapping[type, type] = MappingProxyType(
    {
        FlatActionVector: FlatAction,
        FlatObservationVector: FlatObservation,
        MaskedObservationVector: MaskedObservation,
    }
)


def make_vec_env(
    id: str,
    n_envs: int = 1,
    seed: int | None = None,
    *,
    wrap: Callable[[Any], Any] | None = None,
    flat_action: bool = False,
    flat_observation: bool = False,
    **kwargs: Any,
) -> SB3VecEnv:
    """Build `n_envs` sub-environments on one compiled step for Stable-Baselines3.

    Args:
        id: an id of this package, such as `mec_moe_env:mec_moe/Offloading-v0`.
        n_envs: number of sub-environments.
        seed: sub-environment i begins its first episode with seed + i; None is random.
        wrap: puts a vector wrapper around the native environment, for example
            `mec_moe_agents.wrappers.GateObservationVector`.
        flat_action: one `Discrete(M·S + 1)` action, see `FlatAction`; offloading with U = D = 1.
        flat_observation: one `Box`, see `FlatObservation`, for `MlpPolicy` and for libraries that
            read no dictionaries.
        kwargs: `scenario`, `num_threads`, and config fields to override.

    Raises:
        ValueError: the id is not of this package; an argument is unknown or out of range.
        TypeError: `flat_action` or `flat_observation` with an environment that has none, or that
            is flat already.
    """
    if not id.rpartition(":")[2].startswith("mec_moe/"):
        raise ValueError(f"{id!r} is not an environment of mec_moe_env")
    kwargs["autoreset_mode"] = AutoresetMode.SAME_STEP
    env: Any = gym.make_vec(id, n_envs, vectorization_mode="vector_entry_point", **kwargs)
    if wrap is not None:
        env = wrap(env)
    if flat_action:
        env = FlatActionVector(env)
    vec_env = SB3VecEnv(FlatObservationVector(env) if flat_observation else env)
    if seed is not None:
        vec_env.seed(seed)
    return vec_env


class SB3VecEnv(VecEnv):
    """A native vector environment behind Stable-Baselines3's vector API.

    Equal in observations, rewards, dones and terminal observations to a `DummyVecEnv` of scalar
    environments with the same seeds. Infos differ to save time: while an episode runs they are
    empty; at its end one holds `terminal_observation`, `TimeLimit.truncated`, the scalar
    environment's info of the last step, and the sums over the episode `episode_energy_j`,
    `episode_accepted` … (all that `config.outcomes` sums). `VecMonitor(env, info_keywords=(
    "generalization_error", "episode_energy_j"))` logs them. `reset_infos` are complete.

    `env_method` calls a method of the native environment that returns an array with a row per
    sub-environment, such as `action_masks`. Attributes are common to all sub-environments.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        """Wrap a native vector environment, with vector wrappers around it or not.

        Raises:
            ValueError: its autoreset mode is not SAME_STEP.
        """
        native: Any = env.unwrapped
        if native.autoreset_mode is not AutoresetMode.SAME_STEP:
            raise ValueError(f"autoreset_mode must be same_step, got {native.autoreset_mode}")
        self.env: Any = env
        self._native = native
        self.spec = env.spec
        self._actions: NDArray[np.int64] = np.empty(0, np.int64)
        self._masks: NDArray[np.bool_] | None = None
        self._totals: dict[str, NDArray[np.float64]] = {}
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> VecEnvObs:
        """Begin new episodes, with the seeds given to `seed` since the last reset.

        Raises:
            ValueError: options were set; no one is known.
        """
        for options in self._options:
            check_options(options)
        observation, infos = self.env.reset(seed=list(self._seeds))
        self._reset_seeds()
        self._reset_options()
        self._masks = infos["action_mask"]
        self._totals = {
            key: np.zeros(self.num_envs)
            for key in self._native.config.outcomes.over_episode(Over.SUM)
        }
        self.reset_infos = info_rows(infos, np.arange(self.num_envs))
        first: VecEnvObs = shown(observation)
        return first

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Advance; where an episode ends the observation is the first of the next."""
        observation, rewards, terminated, truncated, infos = self.env.step(self._actions)
        self._masks = infos["action_mask"]
        dones = terminated | truncated
        for key, total in self._totals.items():
            total += infos[key]
        # A dict of its own for each, because callers may write into them; empty ones cost 25 ns.
        rows: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if np.count_nonzero(dones):
            self._report_ends(np.flatnonzero(dones), truncated & ~terminated, infos, rows)
        return shown(observation), rewards.astype(np.float32), dones, rows

    def close(self) -> None:
        """Release the native environment."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """Return an attribute of the native environment, once for each index.

        Raises:
            AttributeError: it has none of that name.
        """
        return [getattr(self._holder(attr_name), attr_name)] * len(self._chosen(indices))

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set an attribute of the native environment.

        Raises:
            ValueError: some sub-environments only are meant.
        """
        if sorted(self._chosen(indices)) != list(range(self.num_envs)):
            raise ValueError(f"set_attr({attr_name!r}) sets an attribute of all: indices = None")
        setattr(self._holder(attr_name), attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **kwargs: Any
    ) -> list[Any]:
        """Call a method of the native environment and return the rows of its result.

        Raises:
            AttributeError: it has none of that name.
            TypeError: the result has no row per sub-environment.
        """
        if method_name == "action_masks" and self._masks is not None:
            rows: Any = self._masks
        else:
            rows = getattr(self._holder(method_name), method_name)(*method_args, **kwargs)
        if not isinstance(rows, np.ndarray) or rows.shape[:1] != (self.num_envs,):
            raise TypeError(f"{method_name}() does not return a row per sub-environment")
        return list(rows) if indices is None else [rows[index] for index in self._chosen(indices)]

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """Return whether each sub-environment is wrapped; `mec_moe_env.wrappers` are known."""
        scalar_forms = (SCALAR_FORMS.get(type(layer), object) for layer in layers(self.env))
        wrapped = any(issubclass(form, wrapper_class) for form in scalar_forms)
        return [wrapped] * len(self._chosen(indices))

    def _report_ends(
        self,
        over: NDArray[np.intp],
        cut: NDArray[np.bool_],
        infos: Mapping[str, Any],
        rows: list[dict[str, Any]],
    ) -> None:
        """Fill the infos of what is over, and begin its sums anew."""
        final = infos["final_info"]
        for key, total in self._totals.items():
            # Where an episode ends, `infos` already shows the reset, and `final_info` the step.
            total += final[key]
        sums = {f"episode_{key}": total for key, total in self._totals.items()}
        endings = info_rows({**final, **sums}, over)
        beginnings = info_rows({k: v for k, v in infos.items() if not k.startswith("final_")}, over)
        for index, ending, beginning in zip(over.tolist(), endings, beginnings, strict=True):
            ending["TimeLimit.truncated"] = bool(cut[index])
            ending["terminal_observation"] = infos["final_obs"][index]
            rows[index] = ending
            self.reset_infos[index] = beginning
        for total in self._totals.values():
            total[over] = 0.0

    def _holder(self, name: str) -> Any:
        """Return the wrapper if it has the attribute, else the native environment."""
        return self.env if hasattr(self.env, name) else self._native

    def _chosen(self, indices: VecEnvIndices) -> Sequence[int]:
        return list(self._get_indices(indices))


def info_rows(infos: Mapping[str, Any], indices: NDArray[np.intp]) -> list[dict[str, Any]]:
    """Split batched infos into one dict for each index, without the `_key` masks.

    A column at a time, because episodes of a few steps end often.
    """
    columns: dict[str, list[Any]] = {}
    for key, value in infos.items():
        if key.startswith("_"):
            continue
        chosen = value[indices]
        columns[key] = chosen.tolist() if chosen.ndim == 1 else list(chosen)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def shown(observation: Any) -> Any:
    """Return an observation that the caller may change: a dict of its own, or a fresh array."""
    return dict(observation) if isinstance(observation, Mapping) else observation
