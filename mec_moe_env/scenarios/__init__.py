"""What can be configured, and the named presets."""

from mec_moe_env.scenarios.offloading import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.scenarios.radio import RadioConfig
from mec_moe_env.scenarios.resolve import resolve

__all__ = ["OFFLOADING_PRESETS", "OffloadingConfig", "RadioConfig", "resolve"]
