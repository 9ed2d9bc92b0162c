"""The presets of both environments, under names that no two of them share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS, DMoEConfig, OffloadingConfig
from mec_moe_env.config import suggest

AnyConfig = OffloadingConfig | DMoEConfig
DMOE_PREFIX = "dmoe/"
UNRANKED = "toy"
"""Its optimum is known: it is for documentation and tests, and ranked only by its name."""


def environment_of(config: AnyConfig) -> str:
    """Return the environment's name."""
    return "DMoE" if isinstance(config, DMoEConfig) else "Offloading"


def parse_scenarios(names: str, mnist: Path | None = None) -> dict[str, AnyConfig]:
    """Split names at commas; `all`, `offloading` and `dmoe` stand for all presets in question.

    DMoE's presets have `dmoe/` before their names. MNIST takes part where its data are given.

    Raises:
        ValueError: a name is unknown, there is none, or MNIST is named without its data.
    """
    known = _known(mnist)
    ranked = [name for name in known if name.removeprefix(DMOE_PREFIX) != UNRANKED]
    groups = {
        "all": ranked,
        "offloading": [name for name in ranked if not name.startswith(DMOE_PREFIX)],
        "dmoe": [name for name in ranked if name.startswith(DMOE_PREFIX)],
    }
    chosen: dict[str, AnyConfig] = {}
    for name in filter(None, (part.strip() for part in names.split(","))):
        for member in groups.get(name, [name]):
            chosen[member] = _find(member, known)
    if not chosen:
        raise ValueError("--scenarios names no scenario")
    return chosen


def _known(mnist: Path | None) -> Mapping[str, AnyConfig]:
    known: dict[str, AnyConfig] = dict(OFFLOADING_PRESETS)
    if mnist is None:
        del known["mnist"]
    else:
        known["mnist"] = OFFLOADING_PRESETS["mnist"].override(data_path=str(mnist))
    return known | {DMOE_PREFIX + name: config for name, config in DMOE_PRESETS.items()}


def _find(name: str, known: Mapping[str, AnyConfig]) -> AnyConfig:
    if name in known:
        return known[name]
    if name == "mnist":
        raise ValueError("scenario 'mnist' reads local files: give their path by --mnist")
    if DMOE_PREFIX + name in known:
        raise ValueError(f"unknown scenario {name!r}: did you mean {DMOE_PREFIX + name!r}?")
    raise ValueError(f"unknown scenario {name!r}: {suggest(name, known)}")
