"""Which tasks there are, from the presets of today; `mec-moe suite freeze` writes them down.

From then on the files count: a preset that changes later changes no task, and a test tells.
A task whose definition is to change gets the next version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mec_moe_agents.environments import DMOE, OFFLOADING, Environment
from mec_moe_agents.evaluation.rollout import FIRST_RANKING_SEED, FIRST_TRAINING_SEED
from mec_moe_agents.suite.tasks import Split, Task, tasks

VALIDATION, TEST, SHIFTED = "validation", "test", "shifted-test"
DEMO = "demo"
"""The episodes of `make demo`."""


@dataclass(frozen=True)
class Shift:
    """How the shifted test differs: never in a size, so that whatever was trained can act."""

    words: str
    fields: Mapping[str, Any]


BURSTS = Shift(
    "tasks come in bursts of one type, half of them of the type before", {"type_persistence": 0.5}
)
FAILURES = Shift(
    "a working server fails once in 100 slots and is repaired within 10 on average",
    {"failure_rate": 0.01},
)
TWICE_THE_DATA = Shift("tasks are twice as large", {"payload_mbit": (0.4, 2.0)})
TWICE_AS_FAR = Shift("servers stand twice as far apart", {"area_m": 800.0})
STALE = Shift("the scheduler sees the channel of the slot before", {"csi_delay": 1})
OUTAGES = Shift(
    "an available node fails once in 20 slots and is back within 2 on average",
    {"failure_rate": 0.05},
)
WIDE = Shift("nodes stand twice as far apart", {"area_m": 400.0})
MEMORY = Shift(
    "the channel remembers: Doppler 1 Hz, a correlation of 0.90 from slot to slot",
    {"doppler_hz": 1.0},
)

SHIFTS: Mapping[str, Mapping[str, Shift]] = MappingProxyType(
    {
        OFFLOADING.name: {
            "default": FAILURES,
            "paper-synthetic": BURSTS,
            "digits": TWICE_THE_DATA,
            "joint": TWICE_AS_FAR,
            "scarce": BURSTS,
            "massive": MEMORY,
            "congested": TWICE_THE_DATA,
        },
        DMOE.name: {
            "default": STALE,
            "paper": OUTAGES,
            "digits-moe": OUTAGES,
            "large": WIDE,
            "massive": STALE,
            "contended": STALE,
        },
    }
)
"""By `Environment.name` and preset: the tasks, each with its shift."""


def define(environment: Environment, preset: str, version: int = 1) -> Task:
    """Build a task from a preset as it is now."""
    config = environment.presets[preset]
    shift = SHIFTS[environment.name][preset]
    splits = [
        Split("train", config, FIRST_TRAINING_SEED, None),
        Split(VALIDATION, config, 90_000, 10),
        Split(TEST, config, FIRST_RANKING_SEED, 50),
        Split(SHIFTED, config.override(**shift.fields), 95_000, 20, shift.words),
    ]
    if (environment, preset) == (OFFLOADING, "digits"):
        splits.append(Split(DEMO, config, 0, 20))
    by_name = {split.name: split for split in splits}
    return Task(f"{environment.name}-{preset}", version, environment.id, by_name)


def definitions() -> list[Task]:
    """Build all tasks from the presets as they are now."""
    return [
        define(environment, preset)
        for environment in (OFFLOADING, DMOE)
        for preset in SHIFTS[environment.name]
    ]


def freeze() -> list[Task]:
    """Write the tasks that are new or changed, and return them; the others keep their baseline."""
    known = tasks()
    changed = [
        task
        for task in definitions()
        if task.name not in known or known[task.name].in_full.checksum != task.checksum
    ]
    for task in changed:
        task.save()
    return changed
