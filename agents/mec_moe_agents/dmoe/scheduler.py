"""What decides about one layer; the agent around it reads observations and writes actions."""

from __future__ import annotations

from typing import Any, Protocol

from mec_moe_agents.dmoe.layer import Layer, Plan


class Scheduler(Protocol):
    """Chooses experts and subcarriers of a batch of layers."""

    def start(self, batch: int) -> Any:
        """Return the state of `batch` rows, for example their random numbers."""
        ...

    def schedule(self, state: Any, layer: Layer) -> Plan:
        """Decide; a state may change in place."""
        ...


class StatelessScheduler:
    """A scheduler that looks at the present layer only; base of most."""

    def start(self, batch: int) -> None:
        """Return no state."""
