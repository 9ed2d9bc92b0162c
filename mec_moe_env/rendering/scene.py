"""Everything that a picture, a text or a replay of one step needs, as small arrays and numbers.

`env.unwrapped.scene()`, and `scene(row)` of a vector environment, return the scene of now. A scene
is a snapshot: nothing in it changes later. Symbols: M servers, S subcarriers, N task types, U tasks
a slot; K nodes, I sources, Q tokens a source, L layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mec_moe_env.core.buffers import Flags, Floats, Integers

IN_SITU = -1
"""In place of a subcarrier: the data stay where they are."""
NOTHING = -1
"""In place of a type: the server trains nothing."""


@dataclass(frozen=True)
class Account:
    """What an episode has brought so far."""

    since: int
    """The step from which on it is counted: 0 unless the first scene was asked for later."""
    reward: float
    """Of the last step, 0 before the first."""
    terms: Mapping[str, float]
    """Terms of the last reward by name ("error", "energy", …), weighted: their sum is `reward`."""
    episode_return: float
    """Sum of the rewards."""
    term_totals: Mapping[str, float]
    """Sums of `terms`: what `episode_return` is made of."""
    last: Mapping[str, float]
    """The last step's `info`, without the action mask; zeros before the first."""
    counts: tuple[str, ...]
    """Those of the names in `last` and `total` that are whole numbers: "accepted", "lost", …"""
    total: Mapping[str, float]
    """The same over the episode: sums, means or last values, as the environment's table says."""
    curve: Floats
    """(steps counted,) after each step. Offloading: G_t. DMoE: the joules of the layer."""


@dataclass(frozen=True)
class Task:
    """A task of a slot."""

    number: int
    """From 0 over the episode: slot·U + u."""
    type: int
    """0..N − 1. No scheduler sees it."""
    origin: int
    """Server where it arrived."""
    payload_mbit: float


@dataclass(frozen=True)
class Pick:
    """A server and a subcarrier that the last action named for a task."""

    task: int
    """Number of the task."""
    server: int
    subcarrier: int
    """The one named, or `IN_SITU` where the server is the task's origin."""
    dropped: bool
    """Whether server or subcarrier were not to be had; what follows is then 0."""
    slots: int
    """How long it keeps the server busy, in slots."""
    sending_slots: int
    """How long it keeps the subcarrier busy, in slots; 0 in-situ."""
    joules: float
    """Of transmission and training."""
    sending_joules: float
    """Of transmission alone."""


@dataclass(frozen=True)
class SlotDecision:
    """What the last action did with the tasks of its slot."""

    slot: int
    """The slot it was made in, one before the scene's."""
    tasks: tuple[Task, ...]
    """The U tasks. One without a pick that was carried out is rejected."""
    picks: tuple[Pick, ...]
    """In the order of the action, without the choices of nobody."""

    @property
    def rejected(self) -> tuple[Task, ...]:
        """The tasks that no server took."""
        served = {pick.task for pick in self.picks if not pick.dropped}
        return tuple(task for task in self.tasks if task.number not in served)


@dataclass(frozen=True)
class Link:
    """A transmission of the last action, or an earlier one that still goes on."""

    task: int
    """Number of the task."""
    type: int
    """Of the task."""
    origin: int
    server: int
    subcarrier: int
    slots_left: int
    """Slots for which the subcarrier stays busy; 0 where the transmission has just ended."""


@dataclass(frozen=True)
class OffloadingScene:
    """A slot of offloading, before the scheduler acts, and what its last action did."""

    slot: int
    """t, slots done."""
    horizon: int
    """T."""
    max_delay: int
    """d_u, most slots for which anything stays busy."""
    area_m: float
    """Side of the square area, metres."""
    positions: Floats | None
    """(M, 2), metres from the area's corner; None where the scenario has no geometry (`toy`)."""
    compute_joules: Floats
    """(M,), joules per sample."""
    compute_seconds: Floats
    """(M,), seconds per sample."""
    slots_left: Integers
    """(M,), slots until the server's training ends; 0 when idle or failed."""
    working: Flags
    """(M,), False while it has failed."""
    training: Integers
    """(M,), type of the task in training; `NOTHING` when idle or failed."""
    completed: Flags
    """(M,), whether a training ended in the slot before."""
    drift: Floats
    """(M,), ‖Δw‖₂ of the last completed training; 0 before the first."""
    learned: Floats
    """(M, N), tasks learned by type; a task of e experts counts 1/e at each."""
    server_error: Floats
    """(M,), mean error of the model of now over the tasks learned; 0 where there are none."""
    subcarrier_left: Integers
    """(S,), slots until the subcarrier is free."""
    waiting: tuple[Task, ...]
    """The U tasks that the scheduler now decides on; none after the last slot."""
    decision: SlotDecision | None
    """None before the first action that was watched."""
    links: tuple[Link, ...]
    """Transmissions of the last action, then earlier ones that go on."""
    account: Account

    @property
    def specialisation(self) -> Floats:
        """(M, N), share of each type in what a server has learned; 0 where that is nothing."""
        total = self.learned.sum(axis=1, keepdims=True)
        shares: Floats = self.learned / (total + (total == 0.0))
        return shares

    @property
    def idle(self) -> Flags:
        """(M,), whether each server works and trains nothing."""
        idle: Flags = self.working & (self.slots_left == 0)
        return idle


@dataclass(frozen=True)
class LayerLink:
    """A link i→j that the last action wanted to use."""

    source: int
    node: int
    subcarrier: int
    states: int
    """Hidden states that it was to carry."""
    delivered: bool
    """Whether they arrived."""
    late: bool
    """Whether it missed the deadline; one that is neither found its subcarrier taken."""
    joules: float
    """Of transmission, and of the way back if that counts; 0 if nothing was sent."""


@dataclass(frozen=True)
class LayerDecision:
    """What the last action did in its layer."""

    layer: int
    """The layer it was made for, from 0: one before the scene's."""
    threshold: float
    """z·γ^(l)."""
    gate: Floats
    """(I, Q, K), scores."""
    available: Flags
    """(K,), whether each expert could be used."""
    asked: Flags
    """(I, Q, K), experts that the action named, those that are not available left out."""
    chosen: Flags
    """(I, Q, K), experts that each token ended up with."""
    wanted: Floats
    """(I, Q), t_q: the threshold, or what the best D available experts reach if that is less."""
    relevance: Floats
    """(I, Q), summed score of the experts chosen."""
    violated: Flags
    """(I, Q), whether the token fell short of `wanted`."""
    links: tuple[LayerLink, ...]
    """In row order."""

    @property
    def dropped(self) -> Flags:
        """(I, Q, K), experts that were asked for in vain."""
        return self.asked & ~self.chosen


@dataclass(frozen=True)
class DMoEScene:
    """A layer of DMoE, before the scheduler acts, and what its last action did."""

    layer: int
    """Layers done; also the index of the layer to come, from 0."""
    num_layers: int
    """L."""
    num_subcarriers: int
    """S."""
    max_experts: int
    """D."""
    area_m: float
    """Side of the square area, metres."""
    positions: Floats | None
    """(K, 2), metres from the area's corner; None where the scenario has no geometry (`toy`)."""
    compute_joules: Floats
    """(K,), joules per token."""
    available: Flags
    """(K,), whether each expert can be used in the layer to come."""
    gate: Floats
    """(I, Q, K), scores of the layer to come; zeros after the last."""
    threshold: float
    """z·γ^(l) of the layer to come; 0 after the last."""
    thresholds: Floats
    """(L,), z·γ^(l) of every layer."""
    classes: Integers | None
    """(I, Q), true class of every token of a real model; None without one."""
    decision: LayerDecision | None
    """None before the first action that was watched."""
    account: Account
