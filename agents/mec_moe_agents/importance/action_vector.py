"""The importance of a layer as the action: the vector form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gymnasium.vector import VectorWrapper
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mec_moe_agents.importance.action import importance_space
from mec_moe_agents.importance.decision import ImportanceDecision
from mec_moe_agents.importance.summary import LayerSummary
from mec_moe_env import DMoEVectorEnv
from mec_moe_env.core.buffers import Entries


class ImportanceActionVector(VectorWrapper):
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
        self._summary = LayerSummary(native.config)
        self._seen: Entries | None = None
        self.single_action_space = importance_space()
        self.action_space = batch_space(self.single_action_space, env.num_envs)
        self.single_observation_space = self._summary.space
        self.observation_space = batch_space(self._summary.space, env.num_envs)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Entries, dict[str, Any]]:
        """Begin new episodes."""
        self._seen, infos = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]
        return self._summary(self._seen), infos

    def step(
        self, actions: Any
    ) -> tuple[Entries, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Schedule a layer of every sub-environment by JESA.

        Raises:
            ValueError: an action lies outside the space.
            RuntimeError: `reset` was not called before.
        """
        if self._seen is None:
            raise RuntimeError("call reset() before step()")
        picks = self._decision.picks(self._seen, actions)
        self._seen, rewards, terminated, truncated, infos = self.env.step(picks)
        if "final_obs" in infos:
            infos = infos | {"final_obs": self._summary.rows(infos["final_obs"])}
        return self._summary(self._seen), rewards, terminated, truncated, infos
