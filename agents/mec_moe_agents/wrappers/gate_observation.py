"""A policy is handed what a gate computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorWrapper
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mec_moe_agents.agent import Observation, with_batch_axis
from mec_moe_agents.offloading.picks import accepted_picks
from mec_moe_agents.offloading.routing import make_gate
from mec_moe_env import OffloadingConfig, OffloadingVectorEnv, Slot
from mec_moe_env.core.autoreset import AutoresetMode
from mec_moe_env.core.buffers import Actions, Entries, Flags, Singles
from mec_moe_env.wrappers import VectorLayer

ENTRY = "relevance"
BOUNDS: Mapping[str, float] = MappingProxyType({"profile": 1.0, "guard": 1.0, "gating": 1e4})
"""Largest size of relevance shown, by gate; minus it also stands for −inf, never. The scores of
the gating network have no scale of their own."""


class GateObservation(gym.Wrapper[Entries, Actions, Entries, Actions], RecordConstructorArgs):
    """Adds `relevance`, (U·M,), to an offloading observation: how well each server fits each task.

    The gate watches the episode and learns from the actions that the environment carries out,
    whoever chooses them: a dropped pick teaches nothing. It starts afresh with every episode. It
    knows what the baseline of the same name knows, and nothing that `greedy-oracle` reads.

    | gate | relevance | bounds |
    |---|---|---|
    | `profile` | cosine of x and the server's profile, untrained: the threshold | ±1 |
    | `guard` | the same, the lower bound where the server must not take the task | ±1 |
    | `gating` | h_m = θ_mᵀx (Li & Duan 2024, eq. (3)), without the exploration noise | ±1e4 |

    Relevance is cut off at the bounds, so that −inf, a gate's "never", is the lower one.
    Put `FlatAction` around `GateObservation`, not inside.
    """

    def __init__(
        self, env: gym.Env[Entries, Actions], gate: str = "profile", **options: Any
    ) -> None:
        """Wrap an offloading environment.

        Args:
            env: an environment with its own observation and action.
            gate: `profile`, `guard` or `gating`.
            options: keyword arguments of the gate, for example `threshold`.

        Raises:
            TypeError: `env` is another environment, or its observation or action was changed;
                the gate does not know an option.
            ValueError: the gate is unknown, or an option is out of range or not allowed.
        """
        RecordConstructorArgs.__init__(self, gate=gate, **options)
        gym.Wrapper.__init__(self, env)
        config = getattr(env.unwrapped, "config", None)
        self._tracker = RelevanceTracker(config, 1, gate, options)
        check_actions_are_picks(env.action_space, env.unwrapped.action_space)
        space: Any = self._tracker.space(env.observation_space)
        self.observation_space = space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Entries, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        relevance = self._tracker.begin(with_batch_axis(observation)[0], np.ones(1, np.bool_))
        return observation | {ENTRY: relevance[0]}, info

    def step(self, action: Actions) -> tuple[Entries, SupportsFloat, bool, bool, dict[str, Any]]:
        """Carry out an action.

        Raises:
            ValueError: the action lies outside the space.
        """
        observation, reward, terminated, truncated, info = self.env.step(action)
        batched, _ = with_batch_axis(observation)
        relevance = self._tracker.follow(np.array([action]), batched, np.ones(1, np.bool_))
        return observation | {ENTRY: relevance[0]}, reward, terminated, truncated, info

    def inside(self, observation: Observation) -> Entries:
        """Return the environment's own observation of one shown here, or of a batch."""
        return without_relevance(observation)


class GateObservationVector(VectorLayer):
    """`GateObservation` for the native vector environment, in every autoreset mode.

    Equal in every value to a SyncVectorEnv of wrapped scalar environments.
    """

    def __init__(
        self, env: OffloadingVectorEnv | VectorWrapper, gate: str = "profile", **options: Any
    ) -> None:
        """Wrap a native offloading vector environment; arguments as of `GateObservation`.

        Raises:
            TypeError: `env` is another environment, or its observation or action was changed;
                the gate does not know an option.
            ValueError: the gate is unknown, or an option is out of range or not allowed.
        """
        super().__init__(env)
        native = env.unwrapped
        if not isinstance(native, OffloadingVectorEnv):
            raise TypeError(f"GateObservationVector needs an OffloadingVectorEnv, got {native!r}")
        self._tracker = RelevanceTracker(native.config, env.num_envs, gate, options)
        self._restarts_later = native.autoreset_mode is AutoresetMode.NEXT_STEP
        self._over = np.zeros(env.num_envs, np.bool_)
        check_actions_are_picks(env.single_action_space, native.single_action_space)
        self.single_observation_space = self._tracker.space(env.single_observation_space)
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Entries, dict[str, Any]]:
        """Begin new episodes, in all sub-environments or in those of `options["reset_mask"]`."""
        observation, infos = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]
        begun: Flags = infos["_action_mask"]
        self._over = self._over & ~begun
        return observation | {ENTRY: self._tracker.begin(observation, begun)}, infos

    def step(
        self, actions: Actions
    ) -> tuple[Entries, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Advance every sub-environment.

        Raises:
            ValueError: an action lies outside the space.
        """
        observation, rewards, terminated, truncated, infos = self.env.step(actions)
        if "final_obs" in infos:
            relevance, infos = self._follow_to_ends(actions, observation, infos)
        else:
            relevance = self._tracker.follow(np.asarray(actions), observation, ~self._over)
        if self._restarts_later:
            self._over = terminated | truncated
        return observation | {ENTRY: relevance}, rewards, terminated, truncated, infos

    def inside(self, observation: Observation) -> Entries:
        """Return the environment's own observations of those shown here."""
        return without_relevance(observation)

    def _follow_to_ends(
        self, actions: Actions, observation: Entries, infos: dict[str, Any]
    ) -> tuple[Singles, dict[str, Any]]:
        """Follow episodes to their last observation, and begin those that come after them."""
        over: Flags = infos["_final_obs"]
        endings = np.flatnonzero(over)
        last = {key: entry.copy() for key, entry in observation.items()}
        for index in endings:
            for key, entry in infos["final_obs"][index].items():
                last[key][index] = entry
        relevance = self._tracker.follow(np.asarray(actions), last, np.ones_like(over))
        final = infos["final_obs"].copy()
        for index in endings:
            final[index] = final[index] | {ENTRY: relevance[index]}
        return self._tracker.begin(observation, over), infos | {"final_obs": final}


class RelevanceTracker:
    """The relevance that a gate finds in n episodes, whoever acts in them."""

    def __init__(self, config: Any, batch: int, gate: str, options: Mapping[str, Any]) -> None:
        if not isinstance(config, OffloadingConfig):
            raise TypeError(
                f"GateObservation needs an environment of mec_moe/Offloading-v0, got {config!r}"
            )
        for name in ("noise", "seed"):
            if name in options:
                raise ValueError(
                    f"{name} = {options[name]!r} is not allowed: a policy explores by itself, "
                    "the scores that it observes are free of the router's noise"
                )
        quiet: dict[str, Any] = {"noise": 0.0} if gate == "gating" else {}
        self._gate = make_gate(gate, config, **options, **quiet)
        self._config = config
        self._bound = BOUNDS[gate]
        self._state = self._gate.start(batch)
        self._slot: Slot | None = None

    def space(self, own: spaces.Space[Any]) -> spaces.Dict:
        """Return the observation space with the relevance; TypeError if `own` was changed."""
        wanted = self._config.observation_shapes.keys()
        if not isinstance(own, spaces.Dict) or not wanted <= own.keys():
            raise TypeError(f"GateObservation needs the environment's own observation, got {own}")
        shape = (self._config.num_tasks * self._config.num_servers,)
        entry = spaces.Box(-self._bound, self._bound, shape, np.float32)
        return spaces.Dict({**own, ENTRY: entry})

    def begin(self, observation: Observation, rows: Flags) -> Singles:
        """Begin new episodes where `rows` (n,) is true, and return the relevance, (n, U·M)."""
        self._gate.reset(self._state, rows)
        return self._look(Slot.read(observation, self._config))

    def follow(self, actions: Actions, observation: Observation, acted: Flags) -> Singles:
        """Learn from the flat actions, (n, U·D·2), and what they brought; return the relevance.

        Where `acted` (n,) is false a new episode begins, and the action had no effect.
        """
        if self._slot is None:
            raise RuntimeError("call reset() before step()")
        servers = accepted_picks(self._slot, actions, self._config)
        self._gate.remember(self._state, self._slot, servers)
        if not acted.all():
            # Forgets with the episode what an action without effect seemed to teach.
            self._gate.reset(self._state, ~acted)
        slot = Slot.read(observation, self._config)
        self._gate.learn(self._state, slot)
        return self._look(slot)

    def _look(self, slot: Slot) -> Singles:
        self._slot = slot
        relevance = self._gate.relevance(self._state, slot).clip(-self._bound, self._bound)
        return relevance.reshape(slot.batch, -1).astype(np.float32)


def without_relevance(observation: Observation) -> Entries:
    """Return an observation without what was added."""
    return {key: entry for key, entry in observation.items() if key != ENTRY}


def check_actions_are_picks(space: gym.Space[Any], own: gym.Space[Any]) -> None:
    """Raise TypeError if a wrapper inside changed what the environment takes as actions."""
    if space != own:
        raise TypeError(
            f"GateObservation needs the environment's own action space {own}, got {space}: "
            "wrap it before FlatAction, not after"
        )
