"""Where the policy that was trained on `default` is tested: one change at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mec_moe_agents.evaluation.episodes import Episodes
from mec_moe_agents.reproduce.drawing import Floats
from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig

PRESET = "default"
"""Whose weights are tested."""
BASE = OFFLOADING_PRESETS[PRESET]
TRAINED = "as trained"
LEARNED = "learned"
BASELINES = ("guard", "profile", "des")
AGENTS = (LEARNED, *BASELINES, "oracle")

Found = Mapping[str, Mapping[str, Episodes]]
"""Episodes by condition and agent."""


@dataclass(frozen=True)
class Sweep:
    """One field of the scenario, from the value that was trained to others."""

    field: str
    values: tuple[float, ...]
    """One of them is the trained one."""
    title: str
    axis: str
    condition: str
    """Names a value in text."""

    def name(self, value: float) -> str:
        """Return the name of a condition."""
        return TRAINED if value == getattr(BASE, self.field) else self.condition.format(value)


SWEEPS = (
    Sweep("num_servers", (4, 8, 16, 32, 64), "Other numbers of servers", "Servers M", "M = {:g}"),
    Sweep(
        "doppler_hz",
        (0.0, BASE.doppler_hz, 10.0 * BASE.doppler_hz, float("inf")),
        "Frozen to memoryless channels",
        "Doppler frequency (Hz)",
        "Doppler {:g} Hz",
    ),
    Sweep(
        "failure_rate",
        (0.0, 0.002, 0.01, 0.03),
        "Servers that fail",
        "Failures per server and slot",
        "failures {:g}",
    ),
    Sweep(
        "type_persistence",
        (0.0, 0.5, 0.9),
        "Bursts of one type",
        "Chance to repeat the type before",
        "persistence {:g}",
    ),
)


def conditions() -> dict[str, OffloadingConfig]:
    """Return the scenario of each condition, the trained one once."""
    return {
        sweep.name(value): BASE.override(**{sweep.field: value})
        for sweep in SWEEPS
        for value in sweep.values
    }


def returns(found: Found, condition: str, agent: str) -> Floats:
    """Return the undiscounted return of each episode, (n,)."""
    return found[condition][agent].metrics["return"]
