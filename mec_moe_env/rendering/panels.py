"""What pictures of both environments have in common: headings, curves and bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mec_moe_env.core.buffers import Floats
from mec_moe_env.rendering.canvas import Box, Canvas
from mec_moe_env.rendering.palette import BLUE, DIM, FAINT, INK, VERMILION
from mec_moe_env.rendering.scene import Account
from mec_moe_env.rendering.words import signed

LINE = 17.0
"""From one line of text to the next."""


def heading(canvas: Canvas, text: str, account: Account) -> None:
    """Write what is shown, and the return so far."""
    canvas.text((16, 24), text, 20)
    canvas.text((944, 24), f"return {signed(account.episode_return)}", 20, anchor="rm")
    canvas.line([(16, 42), (944, 42)], FAINT)


def title(canvas: Canvas, box: Box, text: str, aside: str = "") -> None:
    """Write the title of a panel above its box, and an aside at its right end."""
    canvas.text((box[0], box[1] - 9), text, 12, DIM)
    if aside:
        canvas.text((box[2], box[1] - 9), aside, 12, INK, "rm")


def lines(canvas: Canvas, box: Box, texts: Sequence[str]) -> None:
    """Write lines into a box as far as there is room."""
    left, top, right, bottom = box
    room = max(int((bottom - top) // LINE), 1)
    if len(texts) > room:
        texts = [*texts[: room - 1], f"… {len(texts) - room + 1:,} more"]
    for place, text in enumerate(texts):
        at = left, top + (place + 0.5) * LINE
        canvas.text(at, canvas.fitted(text, right - left), 12)


def curve(canvas: Canvas, box: Box, values: Floats, length: int, first: int) -> None:
    """Draw values of steps from `first` on, out of `length`, from zero to the largest."""
    left, top, right, bottom = box
    canvas.rectangle(box, None, FAINT)
    shown = np.flatnonzero(np.isfinite(values))
    if not len(shown):
        return
    # No more points than pixels.
    shown = shown[:: max(len(shown) // int(right - left), 1)]
    high = max(float(values[shown].max()), 1e-12)
    across = left + (right - left) * (first + shown + 1) / length
    down = bottom - 3 - (bottom - top - 6) * values[shown] / high
    points = list(zip(across.tolist(), down.tolist(), strict=True))
    if len(points) > 1:
        canvas.line(points, BLUE, 2)
    canvas.disc(points[-1], 3.5, BLUE)
    canvas.text((left + 4, top + 9), f"{high:.3g}", 10, DIM, halo=True)


def columns(canvas: Canvas, box: Box, values: Floats, length: int, first: int) -> None:
    """Draw a column for each step from `first` on, out of `length`."""
    left, top, right, bottom = box
    canvas.rectangle(box, None, FAINT)
    if not len(values):
        return
    high, wide = max(float(values.max()), 1e-12), (right - left) / length
    for step, value in enumerate(values.tolist(), first):
        x, y = left + wide * step, bottom - (bottom - top - 4) * value / high
        canvas.rectangle((x + 1, y, x + wide - 1, bottom), BLUE)


def bars(canvas: Canvas, box: Box, totals: Mapping[str, float], last: Mapping[str, float]) -> None:
    """Draw a bar for each part of the return, and write what the last step added."""
    left, top, right, bottom = box
    most = max(*map(abs, totals.values()), 1e-12)
    step = (bottom - top) / len(totals)
    start, room = left + 56, right - left - 56 - 112
    for place, (name, value) in enumerate(totals.items()):
        y = top + (place + 0.5) * step
        canvas.text((left, y), name, 12)
        length = max(room * abs(value) / most, 1.0)
        color = VERMILION if value < 0 else BLUE
        canvas.rectangle((start, y - 6, start + length, y + 6), color)
        canvas.text((start + length + 5, y), signed(value), 12)
        canvas.text((right, y), signed(last[name]), 11, DIM, "rm")
