"""When a vector environment begins new episodes by itself."""

from __future__ import annotations

import enum

from mec_moe_env.shown import shown

try:
    from gymnasium.vector import AutoresetMode as AutoresetMode
except ImportError:  # Gymnasium 1.0, whose own vector environments know but the first

    class AutoresetMode(enum.Enum):  # type: ignore[no-redef]
        """Gymnasium's own from version 1.1 on."""

        NEXT_STEP = "NextStep"
        SAME_STEP = "SameStep"
        DISABLED = "Disabled"


def read_mode(mode: AutoresetMode | str) -> AutoresetMode:
    """Accept a member, its value ("NextStep") or its name in any case ("next_step").

    Raises:
        ValueError: there is no such mode.
    """
    for member in AutoresetMode:
        if mode is member or str(mode).lower() in (member.value.lower(), member.name.lower()):
            return member
    names = [member.name.lower() for member in AutoresetMode]
    raise ValueError(f"autoreset_mode = {shown(mode)} is not allowed: one of {names}")
