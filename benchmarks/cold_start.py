"""How long a user waits at first, with an empty and with a warm compilation cache.

Each measurement is a fresh process: `import mec_moe_env`, `gym.make` and 100 steps; for `des`, what
building the agent and its first `predict` take on top of that. Numba keeps machine code on disk: an
empty cache compiles everything, a warm one loads it. Time on the processor stands beside time on
the clock, which grows where other work shares the machine.

`--functions` tells where the time with an empty cache goes: numba's own events say when it compiles
which function, and what it spends on the functions that are called from there is taken off.

    python benchmarks/cold_start.py [--repeats 5] [--functions] [--only "DMoE default"]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from typing import Any, NamedTuple

FIRST = """
import json, time
from numba.core import event

def now():
    return time.perf_counter(), time.process_time()

start = now()
with event.install_recorder("numba:compile") as recorder:
    import mec_moe_env
    imported = now()
    import gymnasium as gym
    env = gym.make({id!r}, scenario={scenario!r})
    observation, _ = env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(100):
        observation, _, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            observation, _ = env.reset()
    ready, before = now(), len(recorder.buffer)
    if {agent!r} is not None:
        from mec_moe_agents import make_agent
        make_agent({agent!r}, env).predict(observation)
    answered = now()

def spans(begin, end):
    return [later - since for since, later in zip(begin, end)]

functions, open_calls = {{}}, []
records = recorder.buffer[0 if {agent!r} is None else before:]
for at, what in records:
    name = what.data["dispatcher"].py_func.__qualname__
    module = what.data["dispatcher"].py_func.__module__
    if what.is_start:
        open_calls.append([at, 0.0])
        continue
    began, inner = open_calls.pop()
    if open_calls:
        open_calls[-1][1] += at - began
    count, seconds = functions.get(f"{{module}}.{{name}}", (0, 0.0))
    functions[f"{{module}}.{{name}}"] = count + 1, seconds + at - began - inner
print(json.dumps({{
    "importing": spans(start, imported),
    "waiting": spans(start, ready) if {agent!r} is None else spans(ready, answered),
    "functions": functions,
}}))
"""


class Case(NamedTuple):
    """What a user does first."""

    name: str
    id: str
    scenario: str
    agent: str | None = None
    """Waited for on top of the environment."""


CASES = (
    Case("Offloading default", "mec_moe/Offloading-v0", "default"),
    Case("Offloading digits", "mec_moe/Offloading-v0", "digits"),
    Case("DMoE default", "mec_moe/DMoE-v0", "default"),
    Case("DMoE digits-moe", "mec_moe/DMoE-v0", "digits-moe"),
    Case("first des on digits", "mec_moe/Offloading-v0", "digits", "des"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="processes with a warm cache")
    parser.add_argument(
        "--functions", action="store_true", help="what compiling each function takes"
    )
    parser.add_argument("--only", choices=[case.name for case in CASES], help="one case")
    options = parser.parse_args()
    print(f"{'seconds, clock / processor':36}{'empty cache':>16}{'warm cache':>16}{'import':>16}")
    for case in CASES:
        if options.only not in (None, case.name):
            continue
        with tempfile.TemporaryDirectory() as cache:
            empty = first_use(case, cache)
            warm = [first_use(case, cache) for _ in range(options.repeats)]
        cells = empty["waiting"], least(warm, "waiting"), least(warm, "importing")
        row = "".join(f"{clock:9.2f} /{processor:5.2f}" for clock, processor in cells)
        print(f"{case.name:36}{row}", flush=True)
        if options.functions:
            print_functions(empty["functions"])
    print(
        f"Warm and import: least of {options.repeats} processes. An environment counts from the "
        "import on, des on top of it."
    )


def first_use(case: Case, cache: str) -> dict[str, Any]:
    """Return seconds on clock and processor of the import and of the case, and its functions."""
    code = FIRST.format(**case._asdict())
    environment = os.environ | {"NUMBA_CACHE_DIR": cache}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def least(measured: list[dict[str, Any]], what: str) -> list[float]:
    """Return the least seconds on the clock, and the least on the processor."""
    return [min(times) for times in zip(*(one[what] for one in measured), strict=True)]


def print_functions(functions: dict[str, tuple[int, float]]) -> None:
    """Print how often each function was compiled, and its own seconds, the longest first."""
    for name, (count, seconds) in sorted(functions.items(), key=lambda item: -item[1][1]):
        print(f"{seconds:9.2f} s {count:4} × {name}")
    total = sum(seconds for _, seconds in functions.values())
    print(f"{total:9.2f} s in all", flush=True)


if __name__ == "__main__":
    main()
