"""Tokens times experts: gate scores, who was chosen, and what each token has reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.rendering.canvas import Box, Canvas
from mec_moe_env.rendering.palette import (
    DIM,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PANEL,
    VERMILION,
    WHITE,
    shade,
)
from mec_moe_env.rendering.panels import title
from mec_moe_env.rendering.scene import DMoEScene, LayerDecision

GRID: Box = (54, 88, 500, 600)
MOST_COLUMNS = 48
MOST_ROWS = 64
WIDEST, HIGHEST = 110.0, 60.0
"""Pixels of a cell."""
LABELLED_WIDTH, LABELLED_HEIGHT = 19.0, 10.0
"""Least pixels of a column with its expert, and of a row with its token."""
ROOM_AT_RIGHT = 58.0
"""Of the grid, for what a token has reached."""


@dataclass(frozen=True)
class Gates:
    """What the grid shows: the scores that the last action was about, or else the coming ones."""

    scores: Floats
    """(I·Q, K)."""
    chosen: Flags
    """(I·Q, K)."""
    dropped: Flags
    """(I·Q, K)."""
    available: Flags
    """(K,)."""

    @property
    def columns(self) -> Integers:
        """The experts that are shown: all, or those that matter most to some token."""
        K = self.scores.shape[1]
        if K <= MOST_COLUMNS:
            return np.arange(K)
        weight = self.scores.max(axis=0) + self.chosen.sum(axis=0) + self.dropped.sum(axis=0)
        return np.sort(np.argsort(-weight, kind="stable")[:MOST_COLUMNS])


@dataclass(frozen=True)
class Cells:
    """Where the cells are."""

    rows: int
    columns: int
    wide: float
    high: float

    @property
    def end(self) -> float:
        """Right end of the cells."""
        return GRID[0] + self.wide * self.columns

    def middle(self, row: int) -> float:
        """Return the height of a row's middle."""
        return GRID[1] + self.high * (row + 0.5)

    def box(self, row: int, column: int) -> Box:
        """Return a cell's box."""
        x, y = GRID[0] + self.wide * column, GRID[1] + self.high * row
        return x, y, x + self.wide, y + self.high


def draw_grid(canvas: Canvas, scene: DMoEScene) -> None:
    """Draw the layer that the last action was about, or else the one to come."""
    gates, decision = _gates(scene), scene.decision
    columns, rows = gates.columns, min(len(gates.scores), MOST_ROWS)
    left, top, right, bottom = GRID
    wide = min((right - left - ROOM_AT_RIGHT) / len(columns), WIDEST)
    cells = Cells(rows, len(columns), wide, min((bottom - top) / rows, HIGHEST))
    about = scene if decision is None else decision
    text = f"layer {about.layer + 1}: gate scores of tokens (node.token) by expert"
    title(canvas, (16, top - 20, right, bottom), text, f"threshold {about.threshold:.3f}")
    for column, j in enumerate(columns.tolist()):
        if wide >= LABELLED_WIDTH:
            name = f"{j}" if gates.available[j] else f"{j} failed"
            at = left + wide * (column + 0.5), top - 8
            canvas.text(at, canvas.fitted(name, wide, 11), 11, INK, "mm")
        for row in range(rows):
            _draw_cell(canvas, gates, row, j, cells.box(row, column))
    _draw_tokens(canvas, cells, scene.gate.shape[1])
    if decision is not None:
        for row in range(rows):
            _draw_reached(canvas, decision, cells, row)
    _tell_what_is_left_out(canvas, gates, cells)


def _gates(scene: DMoEScene) -> Gates:
    decision, shape = scene.decision, (-1, scene.gate.shape[2])
    if decision is None:
        scores = scene.gate.reshape(shape)
        nobody = np.zeros_like(scores, np.bool_)
        return Gates(scores, nobody, nobody, scene.available)
    scores, chosen = decision.gate.reshape(shape), decision.chosen.reshape(shape)
    return Gates(scores, chosen, decision.dropped.reshape(shape), decision.available)


def _draw_cell(canvas: Canvas, gates: Gates, row: int, j: int, box: Box) -> None:
    canvas.rectangle(box, shade(float(gates.scores[row, j])), FAINT, 0.5)
    centre = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    radius = min(max(min(box[2] - box[0], box[3] - box[1]) / 2 - 2.5, 2.5), 8.0)
    if gates.chosen[row, j]:
        canvas.disc(centre, radius, ORANGE, WHITE if radius > 4.0 else None)
    elif gates.dropped[row, j]:
        canvas.cross(centre, radius, VERMILION, 2)


def _draw_tokens(canvas: Canvas, cells: Cells, per_source: int) -> None:
    """Name the tokens, or their sources where rows are low, and part the sources by lines."""
    for row in range(cells.rows):
        source, token = divmod(row, per_source)
        at = GRID[0] - 6, cells.middle(row)
        if token == 0:
            y = at[1] - cells.high / 2
            canvas.line([(16, y), (cells.end, y)], DIM)
        if cells.high >= LABELLED_HEIGHT:
            canvas.text(at, f"{source}.{token}", 11, INK, "rm")
        elif token == per_source // 2:
            canvas.text(at, f"node {source}", 10, INK, "rm")


def _draw_reached(canvas: Canvas, decision: LayerDecision, cells: Cells, row: int) -> None:
    """Draw how much of what is wanted a token's experts reach."""
    wanted, reached = decision.wanted.flat[row], decision.relevance.flat[row]
    share = min(reached / wanted, 1.0) if wanted > 0 else 1.0
    short = bool(decision.violated.flat[row])
    half, length = min(max(cells.high / 2 - 1.5, 1.0), 5.0), ROOM_AT_RIGHT - 22
    x, y = cells.end + 8, cells.middle(row)
    canvas.rectangle((x, y - half, x + length, y + half), PANEL, FAINT)
    full = max(length * share, 1.0)
    canvas.rectangle((x, y - half, x + full, y + half), VERMILION if short else GREEN)
    if short:
        size = min(cells.high + 1, 13.0)
        canvas.text((x + length + 6, y), "!", size, VERMILION, "mm")


def _tell_what_is_left_out(canvas: Canvas, gates: Gates, cells: Cells) -> None:
    tokens, experts = gates.scores.shape
    parts = {"experts": experts - cells.columns, "tokens": tokens - cells.rows}
    text = ", ".join(f"{count:,} more {what}" for what, count in parts.items() if count)
    if text:
        canvas.text((GRID[0], GRID[1] + cells.high * cells.rows + 12), f"… {text}", 11, DIM)
