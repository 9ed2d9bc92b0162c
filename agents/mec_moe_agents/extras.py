"""Which extra of the distribution brings a package that is missing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

EXTRAS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        **{name: (name, "cli") for name in ("typer", "rich", "matplotlib")},
        "sklearn": ("scikit-learn", "digits"),
        "ray": ("ray", "ray"),
        "stable_baselines3": ("stable-baselines3", "rl"),
        "sb3_contrib": ("sb3-contrib", "rl"),
        "torch": ("torch", "rl"),
        "minari": ("minari", "collect"),
        "h5py": ("h5py", "collect"),
        "pettingzoo": ("pettingzoo", "multiagent"),
        "mo_gymnasium": ("mo-gymnasium", "multiobjective"),
    }
)
"""By the name that is imported: the distribution's name and the extra."""


def explain(error: ImportError, who: str = "this") -> str:
    """Say what is missing and how to install it, if an extra has it; otherwise what was said."""
    package = (error.name or "").partition(".")[0]
    if package not in EXTRAS:
        return str(error)
    distribution, extra = EXTRAS[package]
    return f"{who} needs {distribution}: pip install 'mec-moe-env[{extra}]'"
