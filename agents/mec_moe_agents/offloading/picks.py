"""What a pick costs, which picks are possible, and how servers of one's choice become an action.

Everything that a baseline says of prices comes from here: joules, seconds and slots of serving a
task by a server (Li & Duan 2024), by the formulas of the environment, on what is observed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.radio.links import BITS_PER_MBIT


class Costs(NamedTuple):
    """Costs of a pick, each (n, U, M)."""

    joules: Floats
    """Transmission and computation."""
    seconds: Floats
    """Transmission and computation."""
    delay_slots: Floats
    """The same in whole slots, 1..d_u."""

    def weighted(self, config: OffloadingConfig) -> Floats:
        """Return what energy and delay take from the reward, (n, U, M)."""
        return config.energy_weight * self.joules + config.delay_weight * self.delay_slots


def pick_costs(slot: Slot, config: OffloadingConfig, free: Flags | None = None) -> Costs:
    """Return the costs of serving each task by each server over its best free subcarrier.

    Args:
        slot: the observations, n rows.
        config: the environment's configuration.
        free: (n, S), the subcarriers to choose from; None is all that nobody occupies.
    """
    if free is None:
        free = slot.subcarrier_busy == 0
    return costs_over(best_efficiency(slot, free[:, np.newaxis], config), slot, config)


def best_efficiency(slot: Slot, free: Flags, config: OffloadingConfig) -> Floats:
    """Return the spectral efficiency of each link over its best free subcarrier, (n, U, M).

    `free` are the subcarriers that each task may use, (n, U, S), or (n, 1, S) for all alike. Where
    none is free a link counts as the worst possible; nothing can be sent anyway.
    """
    best = np.where(free[:, :, np.newaxis], slot.spectral_efficiency, 0.0).max(axis=-1)
    efficiency: Floats = np.maximum(best.astype(np.float64), config.min_spectral_efficiency)
    return efficiency


def costs_over(efficiency: Floats, slot: Slot, config: OffloadingConfig) -> Costs:
    """Return the costs of serving each task over links of this efficiency, (n, U, M), bit/s/Hz.

    A task is served without sending where it arrived.
    """
    bits = bits_on_air(slot, config)[..., np.newaxis]
    sending = np.where(slot.origin > 0, 0.0, bits / (config.bandwidth_hz * efficiency))
    per_sample = slot.compute.astype(np.float64)[:, np.newaxis]
    computing_joules, computing_seconds = np.moveaxis(config.samples_per_task * per_sample, -1, 0)
    seconds = sending + computing_seconds
    return Costs(
        joules=config.power_w * sending + computing_joules,
        seconds=seconds,
        delay_slots=np.clip(np.ceil(seconds / config.slot_seconds), 1, config.max_delay),
    )


def bits_on_air(slot: Slot, config: OffloadingConfig) -> Floats:
    """Return what each task sends and gets back where it is not served in-situ, bit, (n, U)."""
    bits: Floats = BITS_PER_MBIT * (slot.payload.astype(np.float64) + config.result_mbit)
    return bits


class Openings:
    """The servers and subcarriers left in n slots while one task after the other chooses.

    A server can take a task that has come if it is idle, has not failed, and either the task
    arrived there or a subcarrier is free to send it. What one pick takes is gone for the later
    ones.

    Args:
        slot: the observations, n rows.
    """

    def __init__(self, slot: Slot) -> None:
        self.idle: Flags = slot.busy == 0
        """(n, M); a failed server shows as busy."""
        self.free: Flags = slot.subcarrier_busy == 0
        """(n, S)."""
        self.left: Integers = self.free.sum(axis=1)
        """(n,), free subcarriers that nobody has taken or reserved."""
        self.arrived: Flags = slot.origin.max(axis=2) > 0
        """(n, U); false where fewer tasks than U came."""
        self._slot = slot
        self._rows = np.arange(slot.batch)

    def local(self, u: int) -> Flags:
        """Return where task u arrived, and is served without sending, (n, M)."""
        return self._slot.origin[:, u] > 0

    def available(self, u: int) -> Flags:
        """Return which servers can take task u, (n, M)."""
        reachable: Flags = self.local(u) | (self.left > 0)[:, np.newaxis]
        return self.idle & reachable & self.arrived[:, u, np.newaxis]

    def take(self, u: int, servers: Integers, subcarriers: Integers) -> Flags:
        """Carry out a pick for task u wherever the environment would, and return where, (n,).

        Servers (n,), M = none; subcarriers (n,), ignored in situ.
        """
        rows = self._rows
        named = servers < self.idle.shape[1]
        server = np.where(named, servers, 0)
        local = self.local(u)[rows, server]
        able = named & self.arrived[:, u] & self.idle[rows, server]
        goes: Flags = able & (local | self.free[rows, subcarriers])
        sends = goes & ~local
        self.idle[rows[goes], server[goes]] = False
        self.free[rows[sends], subcarriers[sends]] = False
        self.left = self.left - sends
        return goes

    def serve(self, u: int, servers: Integers) -> Integers:
        """Give task u to available servers (n,), M = none, each over its best free subcarrier.

        Return the picks, (n, 2): server and subcarrier, the latter 0 where none is needed.
        """
        rows, M = self._rows, self.idle.shape[1]
        server = np.minimum(servers, M - 1)
        link = self._slot.spectral_efficiency[rows, u, server]
        subcarrier = np.where(self.free, link, -1.0).argmax(axis=1)
        sends = ~self.local(u)[rows, server]
        goes = self.take(u, servers, subcarrier)
        return np.stack([np.where(goes, servers, M), np.where(goes & sends, subcarrier, 0)], axis=1)

    def reserve(self, u: int, chosen: Flags) -> None:
        """Give task u to servers `chosen` (n, M), whose subcarriers are yet to be named."""
        self.idle &= ~chosen
        self.left = self.left - (chosen & ~self.local(u)).sum(axis=1)


def greedy_action(preference: Floats, slot: Slot, picks: int, max_experts: int) -> Integers:
    """Serve each task by its most preferred idle servers, each over its best free subcarrier.

    Every task gets its first expert before any gets a second; within a round the tasks choose in
    their order of arrival. A server or subcarrier that one pick takes is gone for the others.
    When no subcarrier is free, only a task's own origin can still serve it: in-situ picks take
    no subcarrier.

    Args:
        preference: (n, U, M), higher is better, −inf is never.
        slot: the observations, n rows.
        picks: most experts that a task gets, at most D.
        max_experts: D, the number of picks that the action has room for.

    Returns:
        (n, U, D, 2): server (M = none) and subcarrier of each pick.
    """
    n, U, M = preference.shape
    action = np.zeros((n, U, max_experts, 2), dtype=np.int64)
    action[..., 0] = M
    openings = Openings(slot)
    for pick in range(picks):
        for u in range(U):
            score = np.where(openings.available(u), preference[:, u], -np.inf)
            servers = np.where(score.max(axis=1) > -np.inf, score.argmax(axis=1), M)
            action[:, u, pick] = openings.serve(u, servers)
    return action


def accepted_picks(slot: Slot, actions: Integers, config: OffloadingConfig) -> Integers:
    """Return the server that takes each pick, (n, U, D), M = none or dropped.

    The environment's own rule, on what is observed: a pick of a busy or failed server or of a
    busy subcarrier is dropped, of two picks of the same the earlier wins, and a task served
    where it arrived needs no subcarrier. The actions are flat, (n, U·D·2).
    """
    U, D, _ = config.action_shape
    picks = np.reshape(actions, (slot.batch, U, D, 2))
    openings = Openings(slot)
    accepted = np.full((slot.batch, U, D), config.num_servers)
    for u, j in np.ndindex(U, D):
        servers, subcarriers = picks[:, u, j].T
        taken = openings.take(u, servers, subcarriers)
        accepted[taken, u, j] = servers[taken]
    return accepted


def served_tasks(servers: Integers, num_servers: int) -> tuple[Integers, Integers, Integers]:
    """Return row, task and server of each pick in (n, U, D) that names a server, M = none."""
    rows, tasks, picks = np.nonzero(servers < num_servers)
    return rows, tasks, servers[rows, tasks, picks]
