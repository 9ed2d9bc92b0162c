"""One readable line on the present slot."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mec_moe_env.offloading.simulator import OffloadingSimulator

MOST_SHOWN = 64


def describe(simulator: OffloadingSimulator) -> str:
    """Describe sub-environment 0: slot, servers (· idle, x failed, else slots left), tasks."""
    state, world = simulator.state, simulator.world
    servers = "".join(
        "x" if not works else ("·" if left == 0 else str(min(left, 9)))
        for works, left in zip(
            state.working[0, :MOST_SHOWN], state.remaining[0, :MOST_SHOWN], strict=True
        )
    )
    free = int((state.subcarrier_remaining[0] == 0).sum())
    now = world.cursor[0]
    tasks = ", ".join(
        f"type {task_type} at server {origin}"
        for task_type, origin in zip(world.types[0, now], world.origin[0, now], strict=True)
    )
    slot = f"slot {state.time[0]}/{simulator.config.horizon}"
    subcarriers = f"{free}/{simulator.config.num_subcarriers} subcarriers free"
    return f"{slot} | servers [{servers}] | {subcarriers} | waiting: {tasks}"
