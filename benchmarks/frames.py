"""What it costs to look: a scene, its text and its picture, in the middle of an episode.

python benchmarks/frames.py [--scenario digits,dmoe/paper] [--frames 20]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from mec_moe_agents.bench.case import find_cases
from mec_moe_agents.evaluation.naming import split_names

SCENARIOS = "digits,joint,massive,dmoe/paper,dmoe/contended,dmoe/large,dmoe/massive"
LONGEST = 50
"""Steps before the frame."""


def milliseconds(work: Callable[[], object], repetitions: int) -> float:
    """Return the median processor time of a call."""
    work()
    times = []
    for _ in range(repetitions):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1e3 * statistics.median(times)


def costs(env: Any, repetitions: int) -> tuple[float, float, float]:
    """Return milliseconds of a scene, of its text and of its picture, after random steps."""
    env.reset(seed=0)
    env.scene()
    env.action_space.seed(0)
    for _ in range(min(env.episode_steps // 2, LONGEST)):
        env.step(env.action_space.sample())
    scene, art = env.scene(), env._art
    write, draw = import_module(art.text).write, import_module(art.picture).draw
    works = env.scene, lambda: write(scene), lambda: draw(scene)
    scene_ms, text_ms, picture_ms = (milliseconds(work, repetitions) for work in works)
    return scene_ms, text_ms, picture_ms


def main() -> None:
    """Print a line for every scenario."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default=SCENARIOS)
    parser.add_argument("--frames", type=int, default=20)
    settings = parser.parse_args()
    print(f"{'ms':<18}{'scene':>8}{'ansi':>8}{'rgb_array':>11}")
    for case in find_cases(split_names(settings.scenario)):
        scene, text, picture = costs(case.scalar().unwrapped, settings.frames)
        print(f"{case.name:<18}{scene:>8.2f}{text:>8.2f}{picture:>11.1f}")


if __name__ == "__main__":
    main()
