"""What can be configured, and the named presets."""

from mec_moe_env.scenarios.dmoe import DMOE_PRESETS, DMoEConfig
from mec_moe_env.scenarios.offloading import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.scenarios.radio import RadioConfig
from mec_moe_env.scenarios.resolve import resolve

__all__ = [
    "DMOE_PRESETS",
    "OFFLOADING_PRESETS",
    "DMoEConfig",
    "OffloadingConfig",
    "RadioConfig",
    "resolve",
]
