"""A window that shows one picture after the other."""

from __future__ import annotations

import os
from typing import Any

import pygame

from mec_moe_env.rendering.canvas import Frame

INVISIBLE = ("offscreen", "dummy")
"""Drivers of SDL that show nothing: meant only where somebody has asked for them."""


class Window:
    """Opens with the first picture; shows as many a second as the environment says."""

    def __init__(self, fps: float) -> None:
        """See whether a window could be opened.

        Raises:
            RuntimeError: there is no display.
        """
        self._fps = fps
        self._screen: pygame.Surface | None = None
        self._clock: Any = None
        try:
            pygame.display.init()
            driver = pygame.display.get_driver()
        except pygame.error as error:
            driver = str(error)
        asked = os.environ.get("SDL_VIDEODRIVER")
        if not pygame.display.get_init() or (driver in INVISIBLE and not asked):
            raise RuntimeError(
                f"render_mode = 'human' needs a display, and there is none (SDL: {driver}): use "
                "render_mode='rgb_array', or set SDL_VIDEODRIVER=dummy to show nothing on purpose"
            )

    def __reduce__(self) -> tuple[type[Window], tuple[float]]:
        """Leave what is open out of a pickle."""
        return Window, (self._fps,)

    def show(self, frame: Frame) -> None:
        """Show a picture, (H, W, 3), as long as one lasts."""
        height, width = frame.shape[:2]
        if self._screen is None:
            pygame.display.init()
            pygame.display.set_caption("mec-moe-env")
            self._screen = pygame.display.set_mode((width, height))
            self._clock = pygame.time.Clock()
        surface = pygame.image.frombuffer(frame.tobytes(), (width, height), "RGB")
        self._screen.blit(surface, (0, 0))
        pygame.event.pump()
        pygame.display.flip()
        self._clock.tick(self._fps)

    def close(self) -> None:
        """Close the window; the next picture opens it again."""
        if self._screen is not None:
            pygame.display.quit()
            self._screen = None
