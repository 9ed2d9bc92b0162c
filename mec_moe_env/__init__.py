"""Gymnasium environments for scheduling mixture-of-experts work over edge servers.

Importing this package registers `mec_moe/Offloading-v0` and `mec_moe/DMoE-v0`.
"""

from gymnasium.envs.registration import register

from mec_moe_env.core.buffers import unflatten
from mec_moe_env.dmoe.config import DMOE_PRESETS, DMoEConfig
from mec_moe_env.dmoe.env import DMoEEnv, DMoEVectorEnv
from mec_moe_env.dmoe.table import Layer
from mec_moe_env.offloading.config import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.offloading.env import OffloadingEnv, OffloadingVectorEnv
from mec_moe_env.offloading.table import Slot

__version__ = "0.1.0"

__all__ = [
    "DMOE_PRESETS",
    "OFFLOADING_PRESETS",
    "DMoEConfig",
    "DMoEEnv",
    "DMoEVectorEnv",
    "Layer",
    "OffloadingConfig",
    "OffloadingEnv",
    "OffloadingVectorEnv",
    "Slot",
    "unflatten",
]

register(
    id="mec_moe/Offloading-v0",
    entry_point="mec_moe_env.offloading.env:OffloadingEnv",
    vector_entry_point="mec_moe_env.offloading.env:OffloadingVectorEnv",
)
register(
    id="mec_moe/DMoE-v0",
    entry_point="mec_moe_env.dmoe.env:DMoEEnv",
    vector_entry_point="mec_moe_env.dmoe.env:DMoEVectorEnv",
)
