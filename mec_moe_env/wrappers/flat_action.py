"""The action of an offloading slot as one number: the scalar form."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from mec_moe_env.core.buffers import Actions, Entries, Flags, Integers
from mec_moe_env.core.kernels import lean_kernel
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.shown import shown
from mec_moe_env.wrappers.masks import MaskedDiscrete

CANONICAL_SUBCARRIER = 0
"""Stands for "none needed" where a task is served in-situ."""


class FlatChoices:
    """The M·S + 1 choices of a slot with one task and one expert: m·S + s, or none, the last."""

    def __init__(self, config: Any) -> None:
        """Number the choices of a scenario.

        Raises:
            TypeError: `config` is not of an offloading environment.
            ValueError: a slot has more than one pick.
        """
        if not isinstance(config, OffloadingConfig):
            raise TypeError(
                f"FlatAction needs an environment of mec_moe/Offloading-v0, got {shown(config)}"
            )
        for field in ("num_tasks", "max_experts"):
            value = getattr(config, field)
            if value != 1:
                raise ValueError(f"FlatAction needs {field} = 1, got {value}: a slot has one pick")
        M, S = config.num_servers, config.num_subcarriers
        self.count = M * S + 1
        self._servers, self._subcarriers = M, S
        self._picks = np.empty((self.count, 2), np.int64)
        self._picks[:, 0], self._picks[:, 1] = np.divmod(np.arange(self.count), S)

    def picks(self, choices: Any, shape: tuple[int, ...]) -> Actions:
        """Return the server and subcarrier of each choice, (*shape, 2).

        Raises:
            ValueError: the choices are not integers, have another shape, or lie outside the space.
        """
        array = np.asarray(choices)
        if array.dtype.kind not in "iu" or array.shape != shape:
            raise ValueError(
                f"action must be an integer array of shape {shape}, "
                f"got dtype {array.dtype} and shape {array.shape}"
            )
        if array.size and (array.min() < 0 or array.max() >= self.count):
            raise ValueError(
                f"action {choices} lies outside the space: allowed 0..{self.count - 1}"
            )
        picks: Actions = self._picks[array]
        return picks

    def encode(self, picks: Any, origins: NDArray[np.float32] | None = None) -> Integers:
        """Return the choice that each pick is, (…), from server and subcarrier, (…, 2).

        Args:
            picks: as an action of the environment; server M is none, whatever the subcarrier.
            origins: one-hot of the server where the task arrived, (…, M). Where it is the one
                picked, the choice is the one that the mask admits for all subcarriers.

        Raises:
            ValueError: the picks are not pairs of integers, or lie outside the space.
        """
        array = np.asarray(picks)
        if array.dtype.kind not in "iu" or array.shape[-1:] != (2,):
            raise ValueError(
                f"picks must be pairs (server, subcarrier) of integers, "
                f"got dtype {array.dtype} and shape {array.shape}"
            )
        servers, subcarriers = np.moveaxis(array.astype(np.int64), -1, 0)
        M, S = self._servers, self._subcarriers
        if ((array < 0) | (array >= (M + 1, S))).any():
            raise ValueError(
                f"picks {shown(picks)} lie outside the space: "
                f"servers 0..{M}, subcarriers 0..{S - 1}"
            )
        if origins is not None:
            at_home = (origins > 0.0) & (np.arange(M) == servers[..., np.newaxis])
            subcarriers = np.where(at_home.any(axis=-1), CANONICAL_SUBCARRIER, subcarriers)
        choices: Integers = np.where(servers == M, M * S, servers * S + subcarriers)
        return choices

    def masks(self, pick_masks: Flags, origins: NDArray[np.float32]) -> Flags:
        """Return which choices are possible, (n, M·S + 1).

        Args:
            pick_masks: of servers, none and subcarriers, (n, M + 1 + S).
            origins: one-hot of the server where the task arrived, (n, M).
        """
        out = np.empty((len(pick_masks), self.count), np.bool_)
        write_choice_masks(self._servers, pick_masks, origins, out)
        return out


@lean_kernel
def write_choice_masks(M: int, pick_masks: Flags, origins: NDArray[np.float32], out: Flags) -> None:
    """Write the masks of n sub-environments: every distinct outcome is possible exactly once.

    Served in-situ a task needs no subcarrier: the canonical one stands for all, free or not.
    """
    S = pick_masks.shape[1] - M - 1
    for i in range(out.shape[0]):
        for m in range(M):
            in_situ = origins[i, m] > 0.0
            for s in range(S):
                fits = s == CANONICAL_SUBCARRIER if in_situ else pick_masks[i, M + 1 + s]
                out[i, m * S + s] = pick_masks[i, m] and fits
        out[i, M * S] = True


class FlatAction(gym.Wrapper[Entries, Any, Entries, Actions], RecordConstructorArgs):
    """`Discrete(M·S + 1)` instead of `MultiDiscrete([M + 1, S])`, for U = D = 1.

    Action m·S + s gives the task to server m over subcarrier s; M·S rejects it. Value-based
    methods such as DQN need it, and a policy has one categorical to learn instead of two.

    `action_masks()` and `info["action_mask"]`, (M·S + 1,), are exact: nothing admitted is dropped,
    and every distinct outcome is admitted exactly once. A task served where it arrived needs no
    subcarrier, so that of its S equal actions only m·S is admitted; the others are legal too.
    `action_space.sample(info["action_mask"])` draws an admitted action, and `encode` says which
    one a pick of server and subcarrier is.
    """

    def __init__(self, env: gym.Env[Entries, Actions]) -> None:
        """Wrap an offloading environment.

        Raises:
            TypeError: `env` is another environment.
            ValueError: U or D is not 1.
        """
        RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        self._choices = FlatChoices(getattr(env.unwrapped, "config", None))
        check_wrappable(self, env.action_space, env.observation_space)
        self._mask = np.zeros(self._choices.count, np.bool_)
        self._origin: NDArray[np.float32] | None = None
        self.action_space = MaskedDiscrete(self._choices.count)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Entries, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        return observation, self._masked(observation, info)

    def step(self, action: Any) -> tuple[Entries, SupportsFloat, bool, bool, dict[str, Any]]:
        """Carry out an action.

        Raises:
            ValueError: the action lies outside the space.
        """
        picks = self._choices.picks(action, ())
        observation, reward, terminated, truncated, info = self.env.step(picks)
        return observation, reward, terminated, truncated, self._masked(observation, info)

    def action_masks(self) -> Flags:
        """Return which actions are possible, (M·S + 1,), for MaskablePPO."""
        return self._mask.copy()

    def encode(self, picks: Any, observation: Entries | None = None) -> Integers:
        """Return the action that a pick is, (), or a batch of picks, (n,).

        Args:
            picks: server and subcarrier, (2,) or (n, 2); server M is none.
            observation: of the slots of the picks, (size,) or (n, size) each; that of now, if left
                out.

        Raises:
            ValueError: the picks are not pairs of integers, or lie outside the space.
        """
        return self._choices.encode(
            picks, self._origin if observation is None else observation["origin"]
        )

    def _masked(self, observation: Entries, info: dict[str, Any]) -> dict[str, Any]:
        self._origin = observation["origin"]
        rows = info["action_mask"][np.newaxis], self._origin[np.newaxis]
        self._mask = self._choices.masks(*rows)[0]
        return info | {"action_mask": self.action_masks()}


def check_wrappable(wrapper: Any, actions: Any, observations: Any) -> None:
    """See that `FlatAction` gets picks to make, and an origin to look at.

    Raises:
        TypeError: a wrapper inside, or a flat id, has changed one or the other.
    """
    kind = type(wrapper).__name__
    if not isinstance(actions, spaces.MultiDiscrete):
        raise TypeError(f"{kind} needs the environment's own actions, got {shown(actions)}")
    if not isinstance(observations, spaces.Dict) or "origin" not in observations.spaces:
        raise TypeError(
            f"{kind} needs the environment's own observation, got {shown(observations)}: "
            "put FlatObservation and MaskedObservation around it"
        )
