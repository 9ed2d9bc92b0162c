"""Gymnasium environments for scheduling mixture-of-experts work over edge servers.

Importing this package registers `mec_moe/Offloading-v0` and `mec_moe/DMoE-v0`.
"""

from gymnasium.envs.registration import register

from mec_moe_env.dmoe import DMoEEnv, DMoEVectorEnv
from mec_moe_env.observation import unflatten
from mec_moe_env.offloading import OffloadingEnv, OffloadingVectorEnv
from mec_moe_env.scenarios import DMOE_PRESETS, OFFLOADING_PRESETS, DMoEConfig, OffloadingConfig

__version__ = "0.1.0"

__all__ = [
    "DMOE_PRESETS",
    "OFFLOADING_PRESETS",
    "DMoEConfig",
    "DMoEEnv",
    "DMoEVectorEnv",
    "OffloadingConfig",
    "OffloadingEnv",
    "OffloadingVectorEnv",
    "unflatten",
]

register(
    id="mec_moe/Offloading-v0",
    entry_point="mec_moe_env.offloading:OffloadingEnv",
    vector_entry_point="mec_moe_env.offloading:OffloadingVectorEnv",
)
register(
    id="mec_moe/DMoE-v0",
    entry_point="mec_moe_env.dmoe:DMoEEnv",
    vector_entry_point="mec_moe_env.dmoe:DMoEVectorEnv",
)
