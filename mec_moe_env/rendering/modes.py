"""How an environment shows its scenes: as texts, as pictures, or in a window.

The libraries for pictures and windows, the extra `render`, are imported when an environment is
made with such a mode, so that what is missing is said there and then.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gymnasium.error import DependencyNotInstalled

from mec_moe_env.config import reject

HUMAN, PICTURE, TEXT = "human", "rgb_array", "ansi"


class Art(NamedTuple):
    """Names of the modules that show an environment's scenes."""

    text: str
    """Has a function `write(scene)` that returns a text."""
    picture: str
    """Has a function `draw(scene, scale=1.0)` that returns a picture, (H, W, 3)."""


OFFLOADING_ART = Art(
    "mec_moe_env.rendering.offloading_text", "mec_moe_env.rendering.offloading_picture"
)
DMOE_ART = Art("mec_moe_env.rendering.dmoe_text", "mec_moe_env.rendering.dmoe_picture")


class Renderer:
    """Shows scenes in one mode."""

    def __init__(self, make: Callable[[Any], Any], window: Any = None) -> None:
        """Make texts or pictures of scenes, for who calls `show` or for a window."""
        self._make, self._window = make, window

    @property
    def by_itself(self) -> bool:
        """Whether every step is shown without being asked for, as in mode `human`."""
        return self._window is not None

    def show(self, scene: Any) -> Any:
        """Return what `render()` returns of a scene."""
        made = self._make(scene)
        return made if self._window is None else self._window.show(made)

    def close(self) -> None:
        """Close the window if there is one."""
        if self._window is not None:
            self._window.close()


def make_renderer(
    mode: str | None, allowed: Sequence[str], art: Art, fps: float
) -> Renderer | None:
    """Return what shows scenes in a mode; None shows nothing.

    Raises:
        ValueError: the mode is unknown.
        DependencyNotInstalled: it needs a library that is not installed; names the extra.
        RuntimeError: it needs a display, and there is none.
    """
    if mode is None:
        return None
    if mode not in allowed:
        raise reject("render_mode", mode, f"None or one of {tuple(allowed)}")
    if mode == TEXT:
        return Renderer(importlib.import_module(art.text).write)
    draw = _imported(art.picture, mode).draw
    if mode == PICTURE:
        return Renderer(draw)
    return Renderer(draw, _imported("mec_moe_env.rendering.window", mode).Window(fps))


def _imported(module: str, mode: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise DependencyNotInstalled(
            f"render_mode = {mode!r} needs {error.name}, part of the extra `render`: "
            "pip install 'mec-moe-env[render]'"
        ) from error
