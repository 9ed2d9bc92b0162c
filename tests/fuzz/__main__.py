"""Random configurations, random actions, every invariant.

python -m tests.fuzz --steps 1e7 --seed 1            a full run: some minutes
python -m tests.fuzz --seed 1 --configuration 815    one of its configurations alone
"""

from __future__ import annotations

import argparse
import math
import sys
import traceback

from mec_moe_env.core import pool
from tests.fuzz.configurations import configuration
from tests.fuzz.play import play
from tests.record import record

MOST_FINDINGS = 10


def positive(text: str) -> float:
    """Read a number of steps; of none, or of NaN, nothing would be found either."""
    steps = float(text)
    if not (math.isfinite(steps) and steps > 0.0):
        raise argparse.ArgumentTypeError(f"{text} is not a positive finite number")
    return steps


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--steps", type=positive, default=1e6, help="steps in all (default 1e6)")
    parser.add_argument("--seed", type=int, default=0, help="decides every configuration")
    parser.add_argument("--configuration", type=int, help="play this one alone")
    parser.add_argument("--record", action="store_true", help="note the run in docs/trust.md")
    return parser.parse_args(words)


def fuzz(seed: int, steps: float) -> tuple[int, int, list[str]]:
    """Play one configuration after the other.

    Returns:
        steps made, configurations played, and a command that repeats each finding.
    """
    made, number, findings = 0, 0, list[str]()
    while made < steps and len(findings) < MOST_FINDINGS:
        try:
            made += play(seed, number)
        except Exception:
            command = f"python -m tests.fuzz --seed {seed} --configuration {number}"
            findings.append(command)
            print(f"{traceback.format_exc()}\n{command}", flush=True)
        number += 1
        if number % 100 == 0:
            print(f"{number} configurations, {made:,} steps", flush=True)
    return made, number, findings


def main() -> int:
    """Play, and tell what was found; return 1 if anything was."""
    options = arguments()
    # However short, calls are shared between threads where there are several.
    pool.HAND_OVER_SECONDS = 0.0
    if options.configuration is not None:
        print(configuration(options.seed, options.configuration))
        print(f"{play(options.seed, options.configuration):,} steps: no finding")
        return 0
    made, played, findings = fuzz(options.seed, options.steps)
    result = f"{made:,} steps in {played:,} configurations, {len(findings)} findings."
    print(result)
    if options.record:
        command = f"python -m tests.fuzz --steps {options.steps:g} --seed {options.seed}"
        record("fuzz", command, result)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
