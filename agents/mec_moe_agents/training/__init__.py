"""Training schedulers by reinforcement learning, and searching for the importance of layers.

Reinforcement learning needs Stable-Baselines3 (the extra `rl`); the search (`importance`) does not.
What a training loop of one's own needs is exported here, and imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mec_moe_agents.training.decisions import DecisionAgent as DecisionAgent
    from mec_moe_agents.training.decisions import DecisionVecEnv as DecisionVecEnv
    from mec_moe_agents.training.policy import DeepSetPolicy as DeepSetPolicy
    from mec_moe_agents.training.policy import MaskableDeepSetPolicy as MaskableDeepSetPolicy

_HOMES = {
    "DecisionAgent": "decisions",
    "DecisionVecEnv": "decisions",
    "DeepSetPolicy": "policy",
    "MaskableDeepSetPolicy": "policy",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    # Imported on first use: the search must not wait for torch, nor need it.
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
