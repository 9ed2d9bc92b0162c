"""Is the code of now as fast as that of another commit, and are its trajectories the same?

    python benchmarks/against_commit.py REV [--rounds 40] [--busy 2] [--only joint] [--digests]

Both run in processes of their own and take turns, so that whatever slows the machine down slows
both. `--busy` adds processes that keep so many cores busy. `--digests` compares digests of the raw
arrays of every golden trajectory, on one thread and on two, instead of times.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parents[1]
SCALAR, OFFLOADING, DMOE = 0, "mec_moe/Offloading-v0", "mec_moe/DMoE-v0"
CASES: list[tuple[str, str, int, int]] = [
    (id_, scenario, size, 1)
    for id_, scenario in (
        (OFFLOADING, "default"),
        (OFFLOADING, "paper-synthetic"),
        (OFFLOADING, "joint"),
        (DMOE, "paper"),
    )
    for size in (SCALAR, 64, 1024)
]
THREADED = [(OFFLOADING, "default", size, 2) for size in (64, 1024)]
WORKER = """
import json, sys, time
import gymnasium as gym
import mec_moe_env
players = {}

def make(id_, scenario, size, threads):
    if size == 0:
        env = gym.make(id_, scenario=scenario)
    else:
        env = gym.make_vec(
            id_, size, vectorization_mode="vector_entry_point",
            scenario=scenario, num_threads=threads,
        )
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(8)]
    return env, actions

def play(case, seconds):
    env, actions = players[case]
    steps, start = 0, time.perf_counter()
    while steps == 0 or time.perf_counter() - start < seconds:
        for action in actions:
            *_, terminated, truncated, _ = env.step(action)
            if case[2] == 0 and (terminated or truncated):
                env.reset()
        steps += len(actions)
    return (time.perf_counter() - start) / steps / max(case[2], 1)

for line in sys.stdin:
    *case, seconds = json.loads(line)
    case = tuple(case)
    if case not in players:
        players[case] = make(*case)
        play(case, 0.0)
    print(json.dumps(play(case, seconds)), flush=True)
"""
DIGESTS = """
import hashlib, json, sys
from tests.environments import test_golden as golden

def flat(name):
    # Older commits nest the reward's terms.
    for term in ("error", "energy", "delay"):
        name = name.replace(f"reward_terms.{term}", f"reward_{term}")
        name = name.replace(f"reward_terms._{term}", f"_reward_{term}")
    return name

def digest(env, looks):
    bits = hashlib.sha256()
    for snapshot in golden.play(env, looks):
        named = {flat(name): array for name, array in snapshot.items()}
        named = {name: array for name, array in named.items() if "reward_terms" not in name}
        for name in sorted(named):
            bits.update(f"{name} {named[name].dtype} {named[name].shape}".encode())
            bits.update(named[name].tobytes())
    return bits.hexdigest()

print(json.dumps({
    variant: [
        digest(golden.VECTOR[id_](golden.NUM_ENVS, scenario, num_threads=count, **options),
               golden.looks_at(scenario))
        for count in (1, 2)
    ]
    for variant, (id_, scenario, options) in golden.VARIANTS.items()
}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision", help="the commit to compare with")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=0.1, help="of each turn")
    parser.add_argument("--busy", type=int, default=0, help="processes that keep cores busy")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--digests", action="store_true", help="compare trajectories, not times")
    options = parser.parse_args()
    with checkout(options.revision) as other:
        if options.digests:
            compare_digests(other)
        else:
            with busy(options.busy):
                compare_times(other, options.rounds, options.seconds, options.only)


@contextlib.contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """Yield a folder with the files of a commit."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(
            ["git", "archive", revision], cwd=HERE, check=True, capture_output=True
        ).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        yield Path(folder)


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    burners = [multiprocessing.Process(target=burn, daemon=True) for _ in range(count)]
    for burner in burners:
        burner.start()
    yield
    for burner in burners:
        burner.kill()


def burn() -> None:
    while True:
        sum(range(10_000))


def start(folder: Path, code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": f"{folder}:{folder / 'agents'}", "HOME": str(Path.home())},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ask(worker: subprocess.Popen[str], question: list[Any]) -> float:
    assert worker.stdin is not None
    assert worker.stdout is not None
    print(json.dumps(question), file=worker.stdin, flush=True)
    return float(json.loads(worker.stdout.readline()))


def compare_times(other: Path, rounds: int, seconds: float, only: str) -> None:
    workers = [start(folder, WORKER) for folder in (other, HERE)]
    print(f"{'time of now / time of then, median and 95 % interval':58}{'µs a step, now':>16}")
    for case in CASES + THREADED:
        name = name_of(*case)
        if only not in name:
            continue
        turns = np.array(
            [[ask(worker, [*case, seconds]) for worker in workers] for _ in range(rounds)]
        )
        print(f"{name:44}{interval(turns[:, 1] / turns[:, 0])}{1e6 * np.median(turns[:, 1]):14.2f}")
    for size in (64, 1024):
        name = f"default {size}: two threads' speed / one's"
        if only not in name:
            continue
        one, two = ((OFFLOADING, "default", size, threads) for threads in (1, 2))
        turns = np.array(
            [[ask(workers[1], [*case, seconds]) for case in (one, two)] for _ in range(rounds)]
        )
        print(f"{name:44}{interval(turns[:, 0] / turns[:, 1])}", flush=True)


def name_of(id_: str, scenario: str, size: int, threads: int) -> str:
    return f"{id_} {scenario} {size or 'scalar'}, {threads} thread{'s' * (threads > 1)}"


def interval(ratios: np.ndarray) -> str:
    """Return the median of ratios, and the bootstrap's interval of it."""
    rng = np.random.default_rng(0)
    medians = np.median(rng.choice(ratios, (2000, len(ratios))), axis=1)
    low, high = np.quantile(medians, (0.025, 0.975))
    return f"{np.median(ratios):8.3f} [{low:.3f}, {high:.3f}]"


def compare_digests(other: Path) -> None:
    then, now = (json.loads(start(f, DIGESTS).communicate()[0]) for f in (other, HERE))
    for variant, digests in now.items():
        same = digests == then.get(variant)
        print(f"{variant:44}{'equal' if same else 'DIFFERENT'}  {digests[0][:16]}")
    if then != now:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
