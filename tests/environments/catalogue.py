"""Every registered environment and preset."""

from typing import NamedTuple

from mec_moe_env import OFFLOADING_PRESETS


class Case(NamedTuple):
    """One environment id with one preset."""

    id: str
    scenario: str
    random: bool
    """Whether seeds matter."""
    small: bool
    exact_mask: bool

    def __str__(self) -> str:
        return f"{self.id.split('/')[1]}-{self.scenario}"


CASES = [
    Case(
        "mec_moe/Offloading-v0",
        name,
        random=name != "toy",
        small=name != "massive",
        exact_mask=config.num_tasks * config.max_experts == 1,
    )
    for name, config in OFFLOADING_PRESETS.items()
]
