"""A slot of offloading as a picture."""

from __future__ import annotations

from collections import Counter

from mec_moe_env.rendering import panels
from mec_moe_env.rendering.canvas import Box, Canvas, Frame, Point
from mec_moe_env.rendering.palette import (
    DIM,
    FAINT,
    INK,
    PANEL,
    VERMILION,
    WHITE,
    Color,
    color_of,
    ink_on,
    mixed,
)
from mec_moe_env.rendering.plan import LABEL_BELOW, Plan, make_plan
from mec_moe_env.rendering.scene import IN_SITU, OffloadingScene, Pick, Task
from mec_moe_env.rendering.words import counted, joules, letter

MAP: Box = (16, 56, 532, 572)
STRIP: Box = (16, 598, 532, 628)
LAST: Box = (556, 70, 944, 206)
WAITING: Box = (556, 234, 944, 302)
ERROR: Box = (556, 330, 944, 446)
RETURN: Box = (556, 474, 944, 540)
LEGEND: Box = (556, 558, 944, 630)
LEGEND_LINES = (
    "disc: a server, by the types that it has learned; letter: most of them",
    "ring: slots left of a training, >B its type; x: failed",
    "square: a waiting task; circle: the last one was served in place",
    "line: data on a subcarrier, pale once sent; dashes: a dropped pick",
)
LEAST_TRAINED = 3.5
"""Radius of a server that has learned: it stands out among a thousand."""
NARROWEST_LABELLED = 15.0
"""Pixels of a subcarrier with its number."""


def draw(scene: OffloadingScene, scale: float = 1.0) -> Frame:
    """Return a picture, (640·scale, 960·scale, 3)."""
    canvas = Canvas(scale)
    panels.heading(canvas, f"slot {scene.slot:,} of {scene.horizon:,}", scene.account)
    _draw_map(canvas, scene)
    _draw_strip(canvas, scene)
    _draw_words(canvas, scene)
    total, account = scene.account.total, scene.account
    aside = f"G {total['generalization_error']:.4f}" if scene.slot else ""
    if "accuracy" in total and scene.slot:
        aside = f"accuracy {100 * total['accuracy']:.1f} %   {aside}"
    panels.title(canvas, ERROR, "error so far", aside)
    panels.curve(canvas, ERROR, account.curve, scene.horizon, account.since)
    panels.title(canvas, RETURN, "return so far", "last slot")
    panels.bars(canvas, RETURN, account.term_totals, account.terms)
    for place, line in enumerate(LEGEND_LINES):
        canvas.text((LEGEND[0], LEGEND[1] + 18 * (place + 0.5)), line, 11, DIM)
    return canvas.frame()


def _draw_map(canvas: Canvas, scene: OffloadingScene) -> None:
    plan = make_plan(MAP, scene.positions, len(scene.working), scene.area_m)
    plan.draw_ground(canvas)
    labels = _draw_links(canvas, plan, scene)
    for m, shares in enumerate(scene.specialisation.tolist()):
        _draw_server(canvas, plan, scene, m, shares)
    _draw_picks(canvas, plan, scene)
    _draw_waiting(canvas, plan, scene.waiting)
    plan.draw_scale(canvas, None if scene.positions is None else scene.area_m)
    for at, text, color in labels:
        canvas.text(at, text, 11, color, "mm", halo=True)


def _draw_links(
    canvas: Canvas, plan: Plan, scene: OffloadingScene
) -> list[tuple[Point, str, Color]]:
    """Draw the links; return their labels, which belong on top of the servers."""
    labels = []
    for link in reversed(scene.links):
        color = color_of(link.type)
        if link.slots_left == 0:
            color = mixed(color, WHITE, 0.5)
        plan.draw_link(canvas, link.origin, link.server, color, 3)
        at = plan.label_place(link.origin, link.server)
        labels.append((at, f"s{link.subcarrier}", INK if link.slots_left else DIM))
    return labels


def _draw_server(
    canvas: Canvas, plan: Plan, scene: OffloadingScene, m: int, shares: list[float]
) -> None:
    """Draw a server that has learned so much of each type."""
    at, working = plan.points[m], bool(scene.working[m])
    known = [(n, share) for n, share in enumerate(shares) if share]
    radius = max(plan.radius, LEAST_TRAINED if known else 0.0)
    canvas.disc(at, radius, WHITE if working else FAINT, plan.edge)
    start = 0.0
    for n, share in known if working else ():
        canvas.slice(at, radius, start, start + share, color_of(n))
        start += share
    if scene.slots_left[m]:
        share = scene.slots_left[m] / scene.max_delay
        width = 4.0 if plan.labelled else 2.0
        canvas.ring(at, radius + width + 1.5, share, color_of(int(scene.training[m])), width)
    if plan.labelled:
        _label_server(canvas, plan, scene, m, max(known, key=lambda pair: pair[1], default=None))
    if not working:
        canvas.cross(at, radius, INK, 3.0 if plan.labelled else 1.5)


def _label_server(
    canvas: Canvas,
    plan: Plan,
    scene: OffloadingScene,
    m: int,
    most: tuple[int, float] | None,
) -> None:
    """Write a server's number and what it trains below it, what it knows best into it."""
    (x, y), radius = plan.points[m], plan.radius
    if most is not None and scene.working[m]:
        canvas.text((x, y), letter(most[0]), 1.1 * radius, ink_on(color_of(most[0])), "mm")
    doing = f" >{letter(int(scene.training[m]))}" if scene.slots_left[m] else ""
    canvas.text((x, y + radius + LABEL_BELOW), f"{m}{doing}", 11, INK, "mm", halo=True)


def _draw_picks(canvas: Canvas, plan: Plan, scene: OffloadingScene) -> None:
    """Draw the picks of the last action that are no links: in place, or dropped."""
    if scene.decision is None:
        return
    origins = {task.number: task.origin for task in scene.decision.tasks}
    for pick in scene.decision.picks:
        there = plan.points[pick.server]
        if pick.dropped:
            canvas.dashes(plan.points[origins[pick.task]], there, VERMILION, 2)
            canvas.cross((there[0] + plan.radius, there[1] - plan.radius), 4, VERMILION, 2)
        elif pick.subcarrier == IN_SITU:
            canvas.disc(there, plan.radius + 10, None, INK, 1)


def _draw_waiting(canvas: Canvas, plan: Plan, tasks: tuple[Task, ...]) -> None:
    """Draw every waiting task beside the server where it has arrived."""
    half = 8.0 if plan.labelled else 5.0
    before: Counter[int] = Counter()
    for task in tasks:
        x, y = plan.points[task.origin]
        x += 2 * half * before[task.origin]
        y -= plan.radius + half + (8 if plan.labelled else 3)
        before[task.origin] += 1
        color = color_of(task.type)
        canvas.rectangle((x - half, y - half, x + half, y + half), color, INK, 1)
        canvas.text((x, y), letter(task.type), 1.5 * half, ink_on(color), "mm")


def _draw_strip(canvas: Canvas, scene: OffloadingScene) -> None:
    """Draw every subcarrier, filled as long as it stays busy."""
    left, top, right, bottom = STRIP
    count = len(scene.subcarrier_left)
    free = int((scene.subcarrier_left == 0).sum())
    panels.title(canvas, STRIP, "subcarriers", f"{free:,} of {count:,} free")
    types = {link.subcarrier: link.type for link in reversed(scene.links)}
    wide = (right - left) / count
    for s, slots in enumerate(scene.subcarrier_left.tolist()):
        box = left + wide * s, top, left + wide * (s + 1), bottom
        canvas.rectangle(box, PANEL, FAINT, 1 if wide > 6 else 0.5)
        color = color_of(types[s]) if s in types else FAINT
        if slots:
            full = max(slots / scene.max_delay, 0.15)
            canvas.rectangle((box[0], bottom - full * (bottom - top), *box[2:]), color)
        elif s in types:
            canvas.rectangle((box[0], bottom - 3, *box[2:]), mixed(color, WHITE, 0.5))
        if wide >= NARROWEST_LABELLED:
            canvas.text((box[0] + wide / 2, top + 9), str(s), 10, INK, "mm")


def _draw_words(canvas: Canvas, scene: OffloadingScene) -> None:
    """Write what was done in the last slot, and what is waiting now."""
    decision = scene.decision
    total = scene.account.total
    counts = f"{total['accepted']:,.0f} accepted, {total['rejected']:,.0f} rejected"
    if total["lost"]:
        counts += f", {total['lost']:,.0f} lost"
    if decision is None:
        panels.title(canvas, LAST, "no slot is over yet")
    else:
        panels.title(canvas, LAST, f"slot {decision.slot:,}", f"so far {counts}")
        tasks = {task.number: task for task in decision.tasks}
        texts = [_pick(tasks[pick.task], pick) for pick in decision.picks]
        texts += [f"{_task(task)} > nobody, rejected" for task in decision.rejected]
        panels.lines(canvas, LAST, texts)
    panels.title(canvas, WAITING, "waiting" if scene.waiting else "the episode is over")
    waiting = [
        f"task {task.number:,} {letter(task.type)} at {task.origin:,}, {task.payload_mbit:.2f} Mbit"
        for task in scene.waiting
    ]
    panels.lines(canvas, WAITING, waiting)


def _task(task: Task) -> str:
    return f"task {task.number:,} {letter(task.type)}: {task.origin:,}"


def _pick(task: Task, pick: Pick) -> str:
    way = " in place" if pick.subcarrier == IN_SITU else f" on s{pick.subcarrier}"
    fate = f"{counted(pick.slots, 'slot')}, {joules(pick.joules)}"
    return f"{_task(task)} > {pick.server:,}{way}, {'dropped' if pick.dropped else fate}"
