"""The offloading model written a second time, slowly and by definition: the tests' oracle.

It reads the exogenous process from the simulator (tasks, channel, failures) and works out by
itself what the scheduler's picks lead to. Errors are summed over a list of tasks, never
accumulated, so it shares no bookkeeping with the compiled step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Task:
    quadratic: np.ndarray
    linear: np.ndarray
    constant: float
    servers: list[int]
    done: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)
    learned_at: dict[int, float] = field(default_factory=dict)

    def error_under(self, model: np.ndarray) -> float:
        return float(model @ self.quadratic @ model - 2 * self.linear @ model + self.constant)


@dataclass
class Training:
    task: Task
    model: np.ndarray
    ends: int


class ReferenceOffloading:
    def __init__(self, env: Any) -> None:
        self.config = env.unwrapped.config
        self.simulator = env.unwrapped._simulator
        M, d = self.config.num_servers, self.config.feature_dim
        self.models = [np.zeros(d) for _ in range(M)]
        self.trainings: dict[int, Training] = {}
        self.subcarrier_free_at = [0] * self.config.num_subcarriers
        self.working = [True] * M
        self.tasks: list[Task] = []
        self.time = 0
        self.total_error = 0.0

    def read_slot(self) -> dict[str, Any]:
        """Copy what nature has in store for the present slot; call before `env.step`."""
        now = self.simulator.exogenous
        arrays = ("features", "labels", "linear", "spectral_efficiency")
        return (
            {name: getattr(now, name)[0].copy() for name in arrays}
            | {name: now.tasks[name][0].copy() for name in now.tasks.dtype.names}
            | {name: now.nodes[name][0].copy() for name in ("joules", "seconds", "works_next")}
        )

    def step(self, slot: dict[str, Any], action: np.ndarray) -> dict[str, Any]:
        config = self.config
        out = {"accepted": 0, "rejected": 0, "dropped_picks": 0, "lost": 0}
        energy = sent_energy = delay_slots = 0.0
        picks = np.asarray(action).reshape(config.num_tasks, config.max_experts, 2)
        for u in range(config.num_tasks):
            task, delays = self._new_task(slot, u), [0]
            for server, subcarrier in picks[u]:
                if server == config.num_servers:
                    continue
                if not self._possible(slot, u, server, subcarrier):
                    out["dropped_picks"] += 1
                    continue
                sent, delay = self._begin(slot, u, int(server), int(subcarrier), task)
                sent_energy += config.power_w * sent
                energy += config.power_w * sent
                energy += config.samples_per_task * slot["joules"][server]
                delays.append(delay)
            out["accepted" if task.servers else "rejected"] += 1
            delay_slots += max(delays)
            self.tasks.append(task)
        out["lost"] = self._pass_time(slot)
        return out | self._measure(energy, sent_energy, delay_slots)

    def _new_task(self, slot: dict[str, Any], u: int) -> Task:
        quadratic = self.simulator.params.quadratic[slot["type"][u]]
        if quadratic.size == 0:
            quadratic = np.eye(self.config.feature_dim)
        return Task(quadratic, slot["linear"][u], float(slot["constant"][u]), [])

    def _possible(self, slot: dict[str, Any], u: int, server: int, subcarrier: int) -> bool:
        in_situ = server == slot["origin"][u]
        channel_free = in_situ or self.subcarrier_free_at[subcarrier] <= self.time
        return self.working[server] and server not in self.trainings and channel_free

    def _begin(
        self, slot: dict[str, Any], u: int, server: int, subcarrier: int, task: Task
    ) -> tuple[float, int]:
        config = self.config
        sent = 0.0
        if server != slot["origin"][u]:
            efficiency = float(slot["spectral_efficiency"][u, server, subcarrier])
            bits = (slot["payload"][u] + config.result_mbit) * 1e6
            sent = bits / (config.bandwidth_hz * efficiency)
            self.subcarrier_free_at[subcarrier] = self.time + self._slots(sent)
        computing = config.samples_per_task * slot["seconds"][server]
        delay = self._slots(sent + computing)
        trained = self.trained(server, slot["features"][u].T, slot["labels"][u])
        task.servers.append(server)
        self.trainings[server] = Training(task, trained, self.time + delay)
        return sent, delay

    def trained(self, server: int, X: np.ndarray, y: np.ndarray) -> np.ndarray:
        w = self.models[server]
        gram = X.T @ X + self.config.proximal * np.eye(X.shape[1])
        return np.asarray(w + X @ np.linalg.pinv(gram) @ (y - X.T @ w))

    def _slots(self, seconds: float) -> int:
        longest: int = self.config.max_delay
        slots: int = math.ceil(seconds / self.config.slot_seconds)
        return min(max(slots, 1), longest)

    def _pass_time(self, slot: dict[str, Any]) -> int:
        self.time += 1
        lost = 0
        self.working = slot["works_next"].tolist()
        for server in list(self.trainings):
            training = self.trainings[server]
            if not self.working[server]:
                training.task.lost.add(server)
                lost += 1
                del self.trainings[server]
            elif training.ends == self.time:
                self.models[server] = training.model
                training.task.done.add(server)
                training.task.learned_at[server] = training.task.error_under(training.model)
                del self.trainings[server]
        return lost

    def _measure(self, energy: float, sent_energy: float, delay_slots: float) -> dict[str, Any]:
        config, count = self.config, len(self.tasks)
        before, self.total_error = self.total_error, sum(map(self._error_now, self.tasks))
        forgotten = sum(
            (task.error_under(self.models[m]) - at) / len(task.servers)
            for task in self.tasks
            for m, at in task.learned_at.items()
        )
        grown = self.total_error - before
        return {
            "reward": -(
                config.error_weight * grown
                + config.energy_weight * energy
                + config.delay_weight * delay_slots
            ),
            "generalization_error": self.total_error / count,
            "forgetting": forgotten / (count - 1) if count > 1 else 0.0,
            "energy_j": energy,
            "transmission_energy_j": sent_energy,
            "delay_slots": delay_slots,
        }

    def _error_now(self, task: Task) -> float:
        if not task.servers:
            return task.constant
        return sum(
            task.constant if m in task.lost else task.error_under(self.models[m])
            for m in task.servers
        ) / len(task.servers)
