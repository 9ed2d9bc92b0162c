"""What a replay keeps of a slot of offloading."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.replay.columns import quantize
from mec_moe_agents.replay.episode import Frame, Row
from mec_moe_env import OffloadingConfig
from mec_moe_env.core.buffers import Integers
from mec_moe_env.rendering.scene import IN_SITU, OffloadingScene, Pick, SlotDecision

DECISION = ("server", "subcarrier", "kept")
"""Columns in which two agents decide differently."""
NOBODY = -1
UNTRAINED = -1
CHANNEL_LEVELS = 255

SlotFrame = Frame[OffloadingScene]


def fixed_columns(frame: SlotFrame) -> Row:
    """Return what does not change over the episode: places, or a circle where there are none."""
    scene = frame.before
    angle = 2.0 * np.pi * np.arange(len(scene.working)) / len(scene.working)
    circle = scene.area_m * (0.5 + 0.35 * np.stack([np.cos(angle), np.sin(angle)], axis=1))
    return {"position": circle if scene.positions is None else scene.positions}


def row_of(frame: SlotFrame, config: OffloadingConfig, *, with_channel: bool) -> Row:
    """Return what is kept of a slot: the world, the servers before the action, and its outcome."""
    decision = frame.after.decision
    assert decision is not None
    row = _world(frame, decision) | _servers(frame.before) | _links(frame.before)
    row |= _picks(frame, decision, config)
    if with_channel:
        efficiency = frame.seen["spectral_efficiency"]
        row["channel"] = quantize(efficiency, config.max_spectral_efficiency, CHANNEL_LEVELS)
    return row


def _world(frame: SlotFrame, decision: SlotDecision) -> Row:
    tasks = decision.tasks
    return {
        "working": frame.before.working,
        "type": np.array([task.type for task in tasks]),
        "origin": np.array([task.origin for task in tasks]),
        "payload": np.array([task.payload_mbit for task in tasks]),
    }


def _servers(scene: OffloadingScene) -> Row:
    """Tell when servers are free again, what they train, and what they have learned most, in %."""
    learned = scene.learned.sum(axis=1)
    return {
        "busy_until": _until(scene.slot, scene.slots_left),
        "training": scene.training,
        "learned_type": np.where(learned > 0, scene.learned.argmax(axis=1), UNTRAINED),
        "learned_share": np.rint(100.0 * scene.specialisation.max(axis=1)).astype(np.int64),
        "learned_tasks": learned,
    }


def _links(scene: OffloadingScene) -> Row:
    """Tell when subcarriers are free again, and which link holds each that is not."""
    origin, server = np.full((2, len(scene.subcarrier_left)), NOBODY)
    for link in scene.links:
        if link.slots_left > 0:
            origin[link.subcarrier], server[link.subcarrier] = link.origin, link.server
    until = _until(scene.slot, scene.subcarrier_left)
    return {"subcarrier_until": until, "link_origin": origin, "link_server": server}


def _until(slot: int, left: Integers) -> Integers:
    """Return the slot in which something is free again, 0 where it is: it changes seldom."""
    until: Integers = np.where(left > 0, slot + left, 0)
    return until


def _picks(frame: SlotFrame, decision: SlotDecision, config: OffloadingConfig) -> Row:
    """Return the choices in the order of the action, (U·D,), and how good they were.

    The least error of an idle server on each task, (U,), is NaN where nobody is idle.
    """
    assert frame.errors is not None
    places = config.num_tasks * config.max_experts
    row: dict[str, NDArray[Any]] = {
        "server": np.full(places, NOBODY),
        "subcarrier": np.full(places, NOBODY),
        "kept": np.zeros(places, np.bool_),
        "slots": np.zeros(places, np.int64),
        "joules": np.zeros(places),
        "model_error": np.zeros(places),
        "efficiency": np.zeros(places),
    }
    for place, task, pick in _placed(decision, config):
        row["server"][place], row["subcarrier"][place] = pick.server, pick.subcarrier
        row["kept"][place] = not pick.dropped
        row["slots"][place], row["joules"][place] = pick.slots, pick.joules
        row["model_error"][place] = frame.errors[task, pick.server]
        if pick.subcarrier != IN_SITU:
            chosen = task, pick.server, pick.subcarrier
            row["efficiency"][place] = frame.seen["spectral_efficiency"][chosen]
    idle = np.where(frame.before.idle, frame.errors, np.inf).min(axis=1)
    return {**row, "least_error": np.where(np.isfinite(idle), idle, np.nan)}


def _placed(decision: SlotDecision, config: OffloadingConfig) -> Iterator[tuple[int, int, Pick]]:
    """Yield each pick with its place among U·D and its task's among U."""
    taken = [0] * config.num_tasks
    for pick in decision.picks:
        task = pick.task - decision.slot * config.num_tasks
        yield task * config.max_experts + taken[task], task, pick
        taken[task] += 1
