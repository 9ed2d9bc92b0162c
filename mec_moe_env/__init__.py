"""Gymnasium environments for scheduling mixture-of-experts work over edge servers.

Importing this package registers `mec_moe/Offloading-v0`.
"""

from gymnasium.envs.registration import register

from mec_moe_env.observation import unflatten
from mec_moe_env.offloading import OffloadingEnv, OffloadingVectorEnv
from mec_moe_env.scenarios import OFFLOADING_PRESETS, OffloadingConfig

__version__ = "0.1.0"

__all__ = [
    "OFFLOADING_PRESETS",
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
