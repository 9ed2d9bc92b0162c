"""What becomes visible of an offloading sub-environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mec_moe_env.core.buffers import Actions
from mec_moe_env.offloading.arrivals import make_workspace
from mec_moe_env.offloading.state import NOBODY, State
from mec_moe_env.offloading.step import DROPPED, JOULES, SENDING_JOULES, SLOTS, act
from mec_moe_env.rendering.scene import (
    IN_SITU,
    NOTHING,
    Link,
    OffloadingScene,
    Pick,
    SlotDecision,
    Task,
)
from mec_moe_env.rendering.watch import Ledger, Watcher, rows_of, step_buffers
from mec_moe_env.worlds.world import extent

if TYPE_CHECKING:
    from mec_moe_env.offloading.simulator import OffloadingSimulator

WRITTEN_BY_ACT = (
    "episodes",
    "servers",
    "subcarrier_remaining",
    "pending_model",
    "pending_linear",
)


class OffloadingWatcher(Watcher):
    """Remembers the last action's picks, and links for as long as they send."""

    def __init__(self, simulator: OffloadingSimulator, row: int) -> None:
        """Begin to watch a sub-environment, possibly in the middle of an episode."""
        config = simulator.config
        super().__init__(row, Ledger(config, simulator.table, row, "generalization_error"))
        self._simulator = simulator
        self._workspace = make_workspace(config)
        self.ledger.open(since=self._slot)
        self._begin()

    @property
    def _slot(self) -> int:
        return int(self._simulator.state.episodes["time"][self.row])

    def _begin(self) -> None:
        self._decision: SlotDecision | None = None
        self._links: tuple[Link, ...] = ()

    def _decide(self, action: Actions) -> None:
        """Carry the picks out one after the other on a copy of the state."""
        simulator, config = self._simulator, self._simulator.config
        state: State = rows_of(simulator.state, self.row, WRITTEN_BY_ACT)
        tasks = self._tasks()
        picks = []
        for place, (server, subcarrier) in enumerate(action.reshape(-1, 2).tolist()):
            task = tasks.get(place // config.max_experts)
            if server < config.num_servers and task is not None:
                picks.append(self._try(state, place, task, server, subcarrier))
        self._decision = SlotDecision(self._slot, tuple(tasks.values()), tuple(picks))

    def _try(self, state: State, place: int, task: Task, server: int, subcarrier: int) -> Pick:
        """Carry out one pick of an action, the others being of nobody."""
        simulator = self._simulator
        action = simulator.nvec - 1
        action[2 * place : 2 * place + 2] = server, subcarrier
        exogenous = rows_of(simulator.exogenous, self.row)
        buffers = step_buffers(simulator.config)
        act(simulator.params, state, exogenous, action, self._workspace, buffers, 0)
        measures, dropped = buffers.measures[:, 0], bool(buffers.counts[DROPPED, 0])
        sent = server != task.origin
        sending = state.subcarrier_remaining[0, subcarrier] if sent and not dropped else 0
        return Pick(
            task=task.number,
            server=server,
            subcarrier=subcarrier if sent else IN_SITU,
            dropped=dropped,
            slots=int(measures[SLOTS]),
            sending_slots=int(sending),
            joules=float(measures[JOULES]),
            sending_joules=float(measures[SENDING_JOULES]),
        )

    def _settle(self) -> None:
        """Begin the links of the last action, and go on with those that still send."""
        remaining = self._simulator.state.subcarrier_remaining[self.row].tolist()
        begun = tuple(self._begun_links())
        going_on = [link for link in self._links if link.slots_left > 1]
        self._links = tuple(
            replace(link, slots_left=remaining[link.subcarrier]) for link in (*begun, *going_on)
        )

    def _begun_links(self) -> Iterator[Link]:
        if self._decision is None:
            return
        tasks = {task.number: task for task in self._decision.tasks}
        for pick in self._decision.picks:
            if not pick.dropped and pick.subcarrier != IN_SITU:
                task = tasks[pick.task]
                of_task = task.number, task.type, task.origin
                yield Link(*of_task, pick.server, pick.subcarrier, pick.sending_slots)

    def _tasks(self) -> dict[int, Task]:
        """Return the tasks of the present slot by their place, 0..U − 1; fewer may have come."""
        first = self._slot * self._simulator.config.num_tasks
        tasks = self._simulator.exogenous.tasks[self.row]
        columns = (tasks[name].tolist() for name in ("type", "origin", "payload"))
        return {
            u: Task(first + u, *values)
            for u, values in enumerate(zip(*columns, strict=True))
            if values[0] != NOBODY
        }

    def scene(self) -> OffloadingScene:
        """Return the scene of now."""
        simulator, config, row = self._simulator, self._simulator.config, self.row
        servers, nodes = simulator.state.servers[row].copy(), simulator.exogenous.nodes[row].copy()
        learned = simulator.state.learned_weight[row].copy()
        weight = learned.sum(axis=1)
        placed = simulator.source.given is None or not simulator.source.given.whole
        return OffloadingScene(
            slot=self._slot,
            horizon=config.horizon,
            max_delay=config.max_delay,
            area_m=extent(config.area_m, simulator.process.world),
            positions=simulator.process.positions[row].copy() if placed else None,
            compute_joules=nodes["joules"],
            compute_seconds=nodes["seconds"],
            slots_left=servers["remaining"],
            working=servers["working"],
            training=np.where(servers["remaining"] > 0, servers["pending_type"], NOTHING),
            completed=servers["completed"],
            drift=servers["drift"],
            learned=learned,
            server_error=servers["learned_error"] / (weight + (weight == 0.0)),
            subcarrier_left=simulator.state.subcarrier_remaining[row].copy(),
            waiting=tuple(self._tasks().values()) if self._slot < config.horizon else (),
            decision=self._decision,
            links=self._links,
            account=self.ledger.account,
        )
