"""Where the time of a vector step goes.

python benchmarks/stages.py [--scenario default,dmoe/default] [--num-envs 1024] [--seconds 0.5]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from mec_moe_agents.bench.case import LONGEST, Case, find_cases, player, round_steps
from mec_moe_agents.evaluation.naming import split_names

from mec_moe_env.core.buffers import Singles
from mec_moe_env.core.kernels import lean_kernel
from mec_moe_env.core.rng import Streams
from mec_moe_env.core.simulator import LOOK, RESET
from mec_moe_env.dmoe.exogenous import draw_slot as draw_layer
from mec_moe_env.offloading.arrivals import draw_slot
from mec_moe_env.offloading.simulator import OffloadingSimulator

ROUNDS = 3
STAGES = ("drawing", "resetting", "acting", "observing", "API")


class Parts(NamedTuple):
    """Seconds of a step, on average over an episode and the step that begins the next one."""

    total: float
    compiled: float
    resetting: float
    """The call that begins an episode, its first slot and observation included."""
    drawing: float
    observing: float


class Stopwatch:
    """Adds up the seconds that are spent in the functions that it times."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def timed(self, work: Callable[..., None]) -> Callable[..., None]:
        """Return the function with its time added up."""

        def call(*args: Any) -> None:
            start = time.perf_counter()
            work(*args)
            self.seconds += time.perf_counter() - start

        return call


def stage_shares(case: Case, num_envs: int, seconds: float, steps: int) -> dict[str, float]:
    """Return the share of each of `STAGES` in a step of the vector environment, one thread.

    All of a step but Gymnasium's API is one compiled call. Calls that only reset or only observe,
    and kernels that only draw, tell what these stages take; acting is the rest of the call. The
    API, in Python, checks actions, names what was written, writes `_key` masks and restarts
    episodes. All are timed in every round and set against its step, because a shared machine
    changes its speed from second to second.
    """
    env = case.vector(num_envs)
    play, watch, simulator = player(env, steps), Stopwatch(), env._simulator
    draw_slots(simulator, 1)
    for method in ("_prepare", "_call"):
        setattr(simulator, method, watch.timed(getattr(simulator, method)))
    rounds: list[Parts] = []
    end = time.perf_counter() + 2 * seconds
    while len(rounds) < ROUNDS or time.perf_counter() < end:
        # The environment does not know what the round before did to its simulator.
        env.reset()
        rounds.append(_measure(simulator, play, steps, watch))
    return shares_of(rounds)


def _measure(simulator: Any, play: Callable[[], None], steps: int, watch: Stopwatch) -> Parts:
    episode = simulator.episode_steps
    times = min(episode, LONGEST)

    def spent(order: int, calls: int) -> float:
        watch.seconds = 0.0
        for _ in range(calls):
            simulator.run(np.full(simulator.num_envs, order, np.int8))
        return watch.seconds / calls

    watch.seconds = 0.0
    start = time.perf_counter()
    play()
    total, compiled = time.perf_counter() - start, watch.seconds
    observing, resetting = spent(LOOK, times), spent(RESET, 1)
    # From the start of an episode, as the links of a node cost more the first time.
    start = time.perf_counter()
    draw_slots(simulator, times)
    drawing = (time.perf_counter() - start) / times
    stepping = episode / (episode + 1)
    return Parts(
        total=total / steps,
        compiled=compiled / steps,
        resetting=resetting / (episode + 1),
        drawing=drawing * stepping,
        observing=observing * stepping,
    )


def shares_of(rounds: Sequence[Parts]) -> dict[str, float]:
    """Return the share of each of `STAGES`, from the medians of what they took of a step.

    What a difference leaves below zero, as noise can where a stage takes next to nothing, is zero.
    """
    of_step = [[part / parts.total for part in parts] for parts in rounds]
    total, compiled, resetting, drawing, observing = np.median(of_step, axis=0).tolist()
    acting = max(compiled - resetting - drawing - observing, 0.0)
    stages = (drawing, resetting, acting, observing, max(total - compiled, 0.0))
    return {name: stage / sum(stages) for name, stage in zip(STAGES, stages, strict=True)}


def draw_slots(simulator: Any, slots: int) -> None:
    """Draw the next slots of all sub-environments, and do nothing else."""
    process, scratch = simulator.process, simulator._workspaces[0]
    now = simulator.exogenous, simulator._randomness.streams
    if isinstance(simulator, OffloadingSimulator):
        source = simulator.source
        tables = source.synthetic, source.images, source.given
        draw_offloading(process, tables, *now, scratch, slots)
    elif process is not None:
        draw_dmoe(process, *now, scratch.noise, slots)


@lean_kernel
def draw_offloading(
    process: Any, tables: Any, exogenous: Any, streams: Streams, scratch: Any, slots: int
) -> None:
    """Draw slots as a step of offloading does; two of the three tables are None."""
    for _ in range(slots):
        for i in range(streams.shape[0]):
            draw_slot(process, tables[0], tables[1], tables[2], exogenous, streams[i], scratch, i)


@lean_kernel
def draw_dmoe(process: Any, exogenous: Any, streams: Streams, noise: Singles, slots: int) -> None:
    """Draw slots as a step of DMoE does."""
    for _ in range(slots):
        for i in range(streams.shape[0]):
            draw_layer(process, exogenous, streams[i], noise, i)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="default,dmoe/default", help="with commas between")
    parser.add_argument("--num-envs", type=int, default=1024)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    options = parser.parse_args()
    for case in find_cases(split_names(options.scenario)):
        steps = round_steps(case.config.steps)
        shares = stage_shares(case, options.num_envs, options.seconds, steps)
        parts = "  ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items())
        print(f"{case.name}, {options.num_envs:,} sub-environments: {parts}")


if __name__ == "__main__":
    main()
