"""Gymnasium environments for scheduling mixture-of-experts work over edge servers.

Importing this package registers `mec_moe/Offloading-v0` and `mec_moe/DMoE-v0`, and for each preset
with one pick in a slot a flat id such as `mec_moe/Offloading-digits-flat-v0`; with a vector reward
`mec_moe/MO-Offloading-v0` and `mec_moe/MO-DMoE-v0`.
"""

from gymnasium.envs.registration import register

from mec_moe_env.core.buffers import unflatten as unflatten
from mec_moe_env.dmoe.config import DMOE_PRESETS as DMOE_PRESETS
from mec_moe_env.dmoe.config import DMoEConfig as DMoEConfig
from mec_moe_env.dmoe.env import DMoEEnv as DMoEEnv
from mec_moe_env.dmoe.env import DMoEVectorEnv as DMoEVectorEnv
from mec_moe_env.dmoe.table import Layer as Layer
from mec_moe_env.foresight import DMoEForesight as DMoEForesight
from mec_moe_env.foresight import OffloadingForesight as OffloadingForesight
from mec_moe_env.foresight import foresight as foresight
from mec_moe_env.offloading.config import OFFLOADING_PRESETS as OFFLOADING_PRESETS
from mec_moe_env.offloading.config import OffloadingConfig as OffloadingConfig
from mec_moe_env.offloading.env import OffloadingEnv as OffloadingEnv
from mec_moe_env.offloading.env import OffloadingVectorEnv as OffloadingVectorEnv
from mec_moe_env.offloading.flat_ids import has_one_pick, register_flat
from mec_moe_env.offloading.table import Slot as Slot
from mec_moe_env.parallel import parallel_env as parallel_env
from mec_moe_env.scenarios import DMOE_SCENARIOS as DMOE_SCENARIOS
from mec_moe_env.scenarios import OFFLOADING_SCENARIOS as OFFLOADING_SCENARIOS
from mec_moe_env.scenarios import register_scenario as register_scenario

__version__ = "0.1.0"


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
# Gymnasium's checker, which `make` puts around an environment otherwise, wants a scalar reward.
register(
    id="mec_moe/MO-Offloading-v0",
    entry_point="mec_moe_env.multiobjective:MOOffloadingEnv",
    vector_entry_point="mec_moe_env.multiobjective:MOOffloadingVectorEnv",
    disable_env_checker=True,
)
register(
    id="mec_moe/MO-DMoE-v0",
    entry_point="mec_moe_env.multiobjective:MODMoEEnv",
    vector_entry_point="mec_moe_env.multiobjective:MODMoEVectorEnv",
    disable_env_checker=True,
)
for _preset, _config in OFFLOADING_PRESETS.items():
    if has_one_pick(_config):
        register_flat(_preset, _config)
