"""Every registered environment and preset."""

from typing import Any, NamedTuple

from mec_moe_env import (
    DMOE_PRESETS,
    OFFLOADING_PRESETS,
    DMoEEnv,
    DMoEVectorEnv,
    OffloadingEnv,
    OffloadingVectorEnv,
)


class Case(NamedTuple):
    """One environment id with one preset."""

    id: str
    scenario: str
    small: bool
    exact_mask: bool

    @property
    def random(self) -> bool:
        """Whether seeds matter."""
        return self.scenario != "toy"

    def __str__(self) -> str:
        return f"{self.id.split('/')[1]}-{self.scenario}"


OFFLOADING, DMOE = "mec_moe/Offloading-v0", "mec_moe/DMoE-v0"
LARGE = ("massive", "large")
SCALAR: dict[str, Any] = {OFFLOADING: OffloadingEnv, DMOE: DMoEEnv}
VECTOR: dict[str, Any] = {OFFLOADING: OffloadingVectorEnv, DMOE: DMoEVectorEnv}

CASES = [
    Case(OFFLOADING, name, name not in LARGE, config.num_tasks * config.max_experts == 1)
    for name, config in OFFLOADING_PRESETS.items()
] + [Case(DMOE, name, name not in LARGE, exact_mask=False) for name in DMOE_PRESETS]
