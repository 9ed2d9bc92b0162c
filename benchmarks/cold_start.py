"""How long a user waits at first: `import mec_moe_env`, then `gym.make` and 100 steps.

Each measurement is a fresh process. Numba keeps machine code on disk, so there are two cases: an
empty cache, which compiles everything, and a warm one, which loads it. Time on the processor stands
beside time on the clock, which grows where other work shares the machine.

    python benchmarks/cold_start.py
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile

FIRST = """
import json, time
def now():
    return time.perf_counter(), time.process_time()
start = now()
import mec_moe_env
imported = now()
import gymnasium as gym
env = gym.make({id!r}, scenario={scenario!r})
env.reset(seed=0)
env.action_space.seed(0)
for _ in range(100):
    *_, terminated, truncated, _ = env.step(env.action_space.sample())
    if terminated or truncated:
        env.reset()
print(json.dumps([later - since for end in (imported, now()) for later, since in zip(end, start)]))
"""
ENVIRONMENTS = (
    ("mec_moe/Offloading-v0", "default"),
    ("mec_moe/Offloading-v0", "digits"),
    ("mec_moe/DMoE-v0", "default"),
    ("mec_moe/DMoE-v0", "digits-moe"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="processes with a warm cache")
    repeats = parser.parse_args().repeats
    print(f"{'seconds, clock / processor':36}{'empty cache':>16}{'warm cache':>16}{'import':>16}")
    for id_, scenario in ENVIRONMENTS:
        with tempfile.TemporaryDirectory() as cache:
            empty = first_use(id_, scenario, cache)
            warm = [first_use(id_, scenario, cache) for _ in range(repeats)]
        least = [min(times) for times in zip(*warm, strict=True)]
        columns = (empty[2:], least[2:], least[:2])
        cells = "".join(f"{clock:9.2f} /{processor:5.2f}" for clock, processor in columns)
        print(f"{f'{id_} {scenario}':36}{cells}", flush=True)
    print(f"Warm and import: least of {repeats} processes; all count from the import on.")


def first_use(id_: str, scenario: str, cache: str) -> list[float]:
    """Return seconds on clock and processor of the import, then until 100 steps were done."""
    code = FIRST.format(id=id_, scenario=scenario)
    environment = os.environ | {"NUMBA_CACHE_DIR": cache}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    seconds: list[float] = json.loads(done.stdout)
    return seconds


if __name__ == "__main__":
    main()
