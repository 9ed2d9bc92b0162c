"""Learning on top of theory: a policy says how much each layer matters, JESA does the rest.

`ImportanceAction` and `ImportanceActionVector` make the importance of a layer the action; both
leave what they see and decide to an `ImportanceDecision`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsFloat, cast

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorWrapper
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mec_moe_agents.agent import Observation, with_batch_axis
from mec_moe_agents.dmoe.agent import Plan
from mec_moe_agents.dmoe.layer import aim_at, layer_problem, remote_links, token_joules
from mec_moe_agents.solvers import allocate_jointly
from mec_moe_env import DMoEConfig, DMoEVectorEnv, Layer
from mec_moe_env.config import Real
from mec_moe_env.core.buffers import Actions, Entries, Floats, box_space
from mec_moe_env.wrappers import VectorLayer

REFERENCE_EFFICIENCY = 4.0
"""bit/s/Hz; sending a state at this efficiency costs the price 1/2."""


class ImportanceAction(gym.Wrapper[Entries, Any, Entries, Actions], RecordConstructorArgs):
    """A policy sets the importance γ^(l) of each layer; JESA finds experts and subcarriers.

    The action is a `Box(0, 1, (1,))`: every token of the coming layer needs relevance z·γ^(l)
    (Qin et al. 2025, P1), which the paper sets by hand to z·γ0^l. The action
    `observation["importance"]` is that schedule of the configuration, and gives what the agent
    `jesa` does. Rewards and infos are the environment's own (`info["action_mask"]` too: it is of
    experts and subcarriers).

    The observation is a dozen numbers instead of I·K·S: the threshold of a layer depends on little
    else. Every entry lies in [0, 1], whatever K, Q and S (our extension):

    | key | shape | meaning |
    |---|---|---|
    | `layer` | (L,) | one-hot; zeros after the last layer |
    | `importance` | (1,) | γ^(l) of the configuration, what the paper sets by hand |
    | `relevance` | (4,) | means over the tokens: score of the best available expert, of the best D
    together, of the own node's; entropy of the scores / log K |
    | `price` | (3,) | means over the sources: joules per token in situ, on the cheapest other node
    and on all others; J is shown as J / (J + J₀), J₀ the energy of sending a state at 4 bit/s/Hz |

    A price takes each link's best subcarrier, as old as `csi_delay` makes it.
    """

    def __init__(self, env: gym.Env[Entries, Actions]) -> None:
        """Wrap a DMoE environment.

        Raises:
            TypeError: `env` is another environment.
        """
        RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        self._decision = ImportanceDecision(getattr(env.unwrapped, "config", None))
        self.action_space = self._decision.action_space
        self.observation_space = cast("spaces.Space[Entries]", self._decision.observation_space)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Entries, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._decision.see(observation), info

    def step(self, action: Any) -> tuple[Entries, SupportsFloat, bool, bool, dict[str, Any]]:
        """Schedule a layer by JESA with this importance.

        Raises:
            ValueError: the action lies outside the space.
            RuntimeError: `reset` was not called before, or the episode is over.
        """
        picks = self._decision.picks(np.asarray(action)[np.newaxis])[0]
        observation, reward, terminated, truncated, info = self.env.step(picks)
        return self._decision.see(observation), reward, terminated, truncated, info


class ImportanceActionVector(VectorLayer):
    """`ImportanceAction` for the native vector environment: equal to a SyncVectorEnv of such."""

    def __init__(self, env: DMoEVectorEnv | VectorWrapper) -> None:
        """Wrap a native DMoE vector environment.

        Raises:
            TypeError: `env` is another environment; wrap the environments of a SyncVectorEnv
                one by one in `ImportanceAction` instead.
        """
        super().__init__(env)
        native = env.unwrapped
        if not isinstance(native, DMoEVectorEnv):
            raise TypeError(f"ImportanceActionVector needs a DMoEVectorEnv, got {native!r}")
        self._decision = ImportanceDecision(native.config)
        self.single_action_space = self._decision.action_space
        self.action_space = batch_space(self.single_action_space, env.num_envs)
        self.single_observation_space = self._decision.observation_space
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Entries, dict[str, Any]]:
        """Begin new episodes."""
        observation, infos = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]
        return self._decision.see(observation), infos

    def step(
        self, actions: Any
    ) -> tuple[Entries, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Schedule a layer of every sub-environment by JESA.

        Raises:
            ValueError: an action lies outside the space.
            RuntimeError: `reset` was not called before.
        """
        picks = self._decision.picks(actions)
        observation, rewards, terminated, truncated, infos = self.env.step(picks)
        if "final_obs" in infos:
            finals = infos["final_obs"].copy()
            for row in np.flatnonzero(infos["_final_obs"]):
                finals[row] = self._decision.summarise(finals[row])
            infos = infos | {"final_obs": finals}
        return self._decision.see(observation), rewards, terminated, truncated, infos


class ImportanceDecision:
    """From the importance of a layer to experts and subcarriers, for a batch of episodes."""

    def __init__(self, config: Any) -> None:
        if not isinstance(config, DMoEConfig):
            raise TypeError(
                f"ImportanceAction needs an environment of mec_moe/DMoE-v0, got {config!r}"
            )
        self._config = config
        shapes = {"layer": (config.num_layers,), "importance": (1,)}
        shapes |= {"relevance": (4,), "price": (3,)}
        self.observation_space = box_space(shapes, dict.fromkeys(shapes, (0.0, 1.0)))
        self.action_space = spaces.Box(0.0, 1.0, (1,), np.float32)
        self.seen: Observation | None = None
        """The environment's own observations of the coming layer, entries (n, size)."""

    def see(self, observation: Observation) -> Entries:
        """Keep what the environment shows, and summarise it."""
        self.seen, _ = with_batch_axis(observation)
        return self.summarise(observation)

    def summarise(self, observation: Observation) -> Entries:
        """Summarise a batch of observations, entries (n, size), or a single one, (size,)."""
        batch, single = with_batch_axis(observation)
        layer = Layer.read(batch, self._config)
        summary: dict[str, NDArray[Any]] = {
            "layer": layer.layer,
            "importance": layer.importance,
            "relevance": self._relevance(layer),
            "price": self._price(layer),
        }
        if single:
            summary = {key: entry[0] for key, entry in summary.items()}
        return {key: entry.astype(np.float32) for key, entry in summary.items()}

    def picks(self, importance: Any) -> Actions:
        """Return the environment's actions, (n, I·Q·D + I·K), for γ of the coming layer, (n, 1)."""
        if self.seen is None:
            raise RuntimeError("call reset() before step()")
        layer = Layer.read(self.seen, self._config)
        given = checked_importance(importance, (layer.batch, 1))
        thresholds = aim_at(self._config.qos, given[:, 0])
        found = allocate_jointly(layer_problem(layer, thresholds, self._config))
        return Plan(found.selected, found.subcarrier).action(self._config.max_experts)

    def _relevance(self, layer: Layer) -> Floats:
        config = self._config
        gate = layer.gate.astype(np.float64)
        usable = np.sort(np.where(layer.available[:, np.newaxis, np.newaxis] > 0, gate, 0.0))
        own = np.einsum("niqi->niq", gate[..., : config.sources])
        own = own * layer.available[:, : config.sources, np.newaxis]
        logarithm = np.log(gate, out=np.zeros_like(gate), where=gate > 0)
        entropy = -(gate * logarithm).sum(axis=-1) / np.log(config.num_nodes)
        best = usable[..., -config.max_experts :].sum(axis=-1)
        parts = (usable[..., -1], best, own, entropy)
        means = np.stack([part.mean(axis=(1, 2)) for part in parts], axis=1)
        within: Floats = np.clip(means, 0.0, 1.0)  # rounding
        return within

    def _price(self, layer: Layer) -> Floats:
        config = self._config
        reference = config.power_w * config.state_bits
        reference /= config.bandwidth_hz * REFERENCE_EFFICIENCY
        shown = 1.0 - 1.0 / (1.0 + token_joules(layer, config) / reference)
        remote = remote_links(config)
        own = np.einsum("nii->ni", shown[..., : config.sources])
        cheapest = np.where(remote, shown, 1.0).min(axis=-1)
        others = shown.mean(axis=-1, where=remote)
        return np.stack([part.mean(axis=1) for part in (own, cheapest, others)], axis=1)


def checked_importance(importance: Any, shape: tuple[int, ...]) -> Floats:
    """Return an action of this shape within [0, 1] as float64, or raise a ValueError."""
    given = np.asarray(importance)
    if given.dtype.kind not in "fiu" or given.shape != shape:
        raise ValueError(
            f"action must be numbers of shape {shape}, "
            f"got dtype {given.dtype} and shape {given.shape}"
        )
    wrong = ~((given >= 0) & (given <= 1))  # NaN too
    if wrong.any():
        raise ValueError(f"action holds {given[wrong][0]}: an importance must be {Real(0, 1)}")
    return given.astype(np.float64)
