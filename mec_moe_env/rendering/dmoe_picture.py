"""A layer of DMoE as a picture."""

from __future__ import annotations

from mec_moe_env.rendering import panels
from mec_moe_env.rendering.canvas import Box, Canvas, Frame
from mec_moe_env.rendering.dmoe_grid import draw_grid
from mec_moe_env.rendering.palette import (
    DIM,
    FAINT,
    INK,
    PANEL,
    VERMILION,
    WHITE,
    color_of,
    ink_on,
    mixed,
)
from mec_moe_env.rendering.plan import Plan, make_plan
from mec_moe_env.rendering.scene import DMoEScene, LayerLink
from mec_moe_env.rendering.words import joules

MAP: Box = (532, 70, 764, 302)
ENERGY: Box = (788, 70, 944, 180)
RETURN: Box = (532, 330, 944, 376)
RADIO: Box = (532, 406, 944, 560)
LEGEND: Box = (532, 572, 944, 632)
LEGEND_LINES = (
    "dark: a high gate score; dot: chosen; x: asked for in vain",
    "right of a token: relevance, as a share of what is wanted; !: short",
    "subcarriers: the link that holds each, coloured by its source; pale, !: late",
)
NARROWEST_LABELLED = 19.0
"""Pixels of a cell with words."""


def draw(scene: DMoEScene, scale: float = 1.0) -> Frame:
    """Return a picture, (640·scale, 960·scale, 3)."""
    canvas, account = Canvas(scale), scene.account
    done = f"layer {scene.layer} of {scene.num_layers} done"
    panels.heading(canvas, done if scene.layer else f"layer 1 of {scene.num_layers}", account)
    draw_grid(canvas, scene)
    _draw_map(canvas, scene)
    panels.title(canvas, ENERGY, "energy by layer", joules(account.total["energy_j"]))
    panels.columns(canvas, ENERGY, account.curve, scene.num_layers, account.since)
    _draw_results(canvas, scene)
    panels.title(canvas, RETURN, "return so far", "last layer")
    panels.bars(canvas, RETURN, account.term_totals, account.terms)
    _draw_radio(canvas, scene)
    for place, line in enumerate(LEGEND_LINES):
        canvas.text((LEGEND[0], LEGEND[1] + 19 * (place + 0.5)), line, 11, DIM)
    return canvas.frame()


def _draw_map(canvas: Canvas, scene: DMoEScene) -> None:
    plan = make_plan(MAP, scene.positions, len(scene.available), scene.area_m)
    panels.title(canvas, MAP, "nodes and links")
    plan.draw_ground(canvas)
    if plan.labelled:
        _draw_links(canvas, plan, scene)
    available = scene.decision.available if scene.decision else scene.available
    for j in range(len(plan.points)):
        _draw_node(canvas, plan, j, scene.gate.shape[0], bool(available[j]))
    if not plan.labelled:
        _draw_links(canvas, plan, scene)
    plan.draw_scale(canvas, None if scene.positions is None else scene.area_m)


def _draw_links(canvas: Canvas, plan: Plan, scene: DMoEScene) -> None:
    for link in scene.decision.links if scene.decision else ():
        if link.delivered:
            plan.draw_link(canvas, link.source, link.node, color_of(link.source), 1.5)
        else:
            ends = plan.points[link.source], plan.points[link.node]
            canvas.dashes(*ends, VERMILION, 1.5)


def _draw_node(canvas: Canvas, plan: Plan, j: int, sources: int, available: bool) -> None:
    at, radius = plan.points[j], plan.radius
    color = color_of(j) if j < sources else WHITE
    canvas.disc(at, radius, color if available else FAINT, plan.edge)
    if not available:
        canvas.cross(at, radius, plan.edge, 2.0 if plan.labelled else 1.0)
    if plan.labelled:
        ink = ink_on(color) if available else INK
        canvas.text(at, str(j), min(1.2 * radius, 12), ink, "mm", halo=not available)


def _draw_results(canvas: Canvas, scene: DMoEScene) -> None:
    """Write means over the episode."""
    total = scene.account.total
    texts = [
        f"relevance {total['relevance']:.3f}",
        f"{100 * total['violated']:.0f} % of tokens short",
        f"{total['dropped_picks']:,.0f} picks dropped",
        f"{total['lost_states']:,.0f} states lost",
    ]
    if "accuracy" in total:
        texts.append(f"accuracy {100 * total['accuracy']:.1f} %")
    panels.lines(canvas, (ENERGY[0], ENERGY[3] + 12, ENERGY[2], MAP[3]), texts)


def _draw_radio(canvas: Canvas, scene: DMoEScene) -> None:
    """Draw every subcarrier with the link that holds it."""
    left, top, right, bottom = RADIO
    count = scene.num_subcarriers
    rows = _rows_for(count)
    per_row = -(-count // rows)
    links = scene.decision.links if scene.decision else ()
    holders = {link.subcarrier: link for link in links if link.delivered or link.late}
    panels.title(canvas, RADIO, "subcarriers", f"{count - len(holders):,} of {count:,} free")
    wide, high = (right - left) / per_row, min((bottom - top) / rows, 38.0)
    for s in range(count):
        row, column = divmod(s, per_row)
        x, y = left + wide * column, top + high * row
        _draw_subcarrier(canvas, s, holders.get(s), (x, y, x + wide, y + high))


def _rows_for(count: int) -> int:
    """Return in how many rows so many subcarriers are laid out: up to 16 in each, or up to 32."""
    for most, rows in ((16, 1), (16, 2), (16, 4), (32, 4), (32, 8)):
        if count <= most * rows:
            return rows
    return 16


def _draw_subcarrier(canvas: Canvas, s: int, link: LayerLink | None, box: Box) -> None:
    wide, high = box[2] - box[0], box[3] - box[1]
    color = PANEL if link is None else color_of(link.source)
    if link is not None and link.late:
        color = mixed(color, WHITE, 0.6)
    canvas.rectangle(box, color, FAINT, 1 if wide > 6 else 0.5)
    if wide < NARROWEST_LABELLED:
        return
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    if link is None:
        canvas.text((x, y), str(s), 9, DIM, "mm")
        return
    mark = "!" if link.late else ""
    canvas.text((x, y - high / 5), f"{link.source}>{link.node}{mark}", 10, ink_on(color), "mm")
    canvas.text((x, y + high / 4), str(s), 9, ink_on(color), "mm")
