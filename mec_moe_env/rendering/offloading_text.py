"""A slot of offloading as text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mec_moe_env.rendering.scene import (
    IN_SITU,
    OffloadingScene,
    Pick,
    SlotDecision,
    Task,
)
from mec_moe_env.rendering.words import (
    abbreviated,
    counted,
    flowing,
    joules,
    letter,
    return_line,
    reward_line,
)

MOST_LINES = 16
"""Of a list."""


def write(scene: OffloadingScene) -> str:
    """Return lines of at most 100 characters; long lists are abbreviated."""
    waiting = [f"  {_task(task)}" for task in scene.waiting] or ["  none: the episode is over"]
    servers = _servers(scene)
    return "\n".join(
        [
            *_heading(scene),
            *(_decision(scene, scene.decision) if scene.decision else ()),
            "servers (* idle, > training, x failed; what they have learned most of)",
            *flowing(servers, MOST_LINES),
            *_untouched(scene, len(servers)),
            *_radio(scene),
            "waiting (no scheduler sees the type)",
            *abbreviated(waiting, len(waiting), MOST_LINES),
        ]
    )


def _heading(scene: OffloadingScene) -> Iterator[str]:
    total = scene.account.total
    yield f"slot {scene.slot:,} of {scene.horizon:,} | {return_line(scene.account)}"
    accuracy = f", accuracy {100 * total['accuracy']:.1f} %" if "accuracy" in total else ""
    yield (
        f"error G {total['generalization_error']:.4f}, "
        f"forgetting F {total['forgetting']:.4f}{accuracy}; {joules(total['energy_j'])}, "
        f"{counted(round(total['delay_slots']), 'slot')} of delay"
    )
    yield "; ".join(f"{total[name]:,.0f} {name.replace('_', ' ')}" for name in scene.account.counts)


def _decision(scene: OffloadingScene, decision: SlotDecision) -> Iterator[str]:
    yield f"slot {decision.slot:,} | {reward_line(scene.account)}"
    lines = []
    for task in decision.tasks:
        lines.append(f"  {_task(task)}")
        picks = [pick for pick in decision.picks if pick.task == task.number]
        lines += [f"    {_pick(pick)}" for pick in picks]
        if task in decision.rejected:
            lines.append("    rejected")
    yield from abbreviated(lines, len(lines), 2 * MOST_LINES)
    if scene.account.last["lost"]:
        yield f"  {scene.account.last['lost']:.0f} lost as their servers failed"


def _task(task: Task) -> str:
    return (
        f"task {task.number:,} of type {letter(task.type)} at server {task.origin:,}, "
        f"{task.payload_mbit:.2f} Mbit"
    )


def _pick(pick: Pick) -> str:
    way = "in-situ" if pick.subcarrier == IN_SITU else f"on subcarrier {pick.subcarrier:,}"
    if pick.dropped:
        return f"> server {pick.server:,} {way}: dropped, not to be had"
    sending = f", {pick.sending_slots:,} of them sending" if pick.sending_slots else ""
    cost = f"{counted(pick.slots, 'slot')}{sending}, {joules(pick.joules)}"
    return f"> server {pick.server:,} {way}: {cost}"


def _servers(scene: OffloadingScene) -> list[str]:
    """Describe every server that has learned, or that is not idle."""
    touched = ~scene.idle | scene.learned.any(axis=1)
    return [_server(scene, m) for m in np.flatnonzero(touched).tolist()]


def _server(scene: OffloadingScene, m: int) -> str:
    share = scene.specialisation[m]
    if not scene.working[m]:
        doing = "x"
    elif scene.slots_left[m]:
        doing = f">{letter(int(scene.training[m]))}{scene.slots_left[m]}"
    else:
        doing = "*"
    best = int(share.argmax())
    learned = f"{letter(best)} {100 * share[best]:.0f} %" if share[best] else "-"
    return f"{m:>4} {doing:<4}{learned:<8}"


def _untouched(scene: OffloadingScene, described: int) -> Iterator[str]:
    count = len(scene.working) - described
    if count:
        yield f"  {counted(count, 'server')} idle and untrained"


def _radio(scene: OffloadingScene) -> Iterator[str]:
    busy = int((scene.subcarrier_left > 0).sum())
    count = len(scene.subcarrier_left)
    yield f"subcarriers ({count - busy:,} of {count:,} free)"
    links = [
        f"{link.subcarrier:,}: {link.origin:,}>{link.server:,} task {link.task:,}, "
        + (f"{counted(link.slots_left, 'slot')} left" if link.slots_left else "done")
        for link in scene.links
    ]
    yield from flowing(links or ["none was used"], MOST_LINES)
