"""The state machine for as long as you like.

python -m tests.lifecycle --minutes 10 --seed 1
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from mec_moe_env.core import pool
from tests.lifecycle.machine import Lifecycle
from tests.record import record

EXAMPLES, LONGEST = 40, 80
"""Runs of the machine in a round, and most rules in a run."""


def counting(counts: Counter[str]) -> type[Lifecycle]:
    """Return the machine, counting its runs and what is done in them."""

    class Counted(Lifecycle):
        def check_invariants(self, *arguments: Any, **options: Any) -> Any:
            counts["rules"] += 1
            return super().check_invariants(*arguments, **options)

        def teardown(self) -> None:
            counts["runs"] += 1
            super().teardown()

    return Counted


def main() -> None:
    """Run rounds of the machine until the time is over; a finding ends it with the rules made."""
    parser = argparse.ArgumentParser(prog="python -m tests.lifecycle", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0, help="of the first round; later ones follow")
    parser.add_argument("--record", action="store_true", help="note the run in docs/trust.md")
    options = parser.parse_args()
    # However short, calls are shared between threads where there are several.
    pool.HAND_OVER_SECONDS = 0.0
    counts, end, rounds = Counter[str](), time.monotonic() + 60.0 * options.minutes, 0
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=LONGEST,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    while time.monotonic() < end:
        run_state_machine_as_test(
            seed(options.seed + rounds)(counting(counts)),
            settings=chosen,
        )
        rounds += 1
    result = f"{counts['runs']:,} runs, {counts['rules']:,} states checked, no finding."
    print(result)
    if options.record:
        command = f"python -m tests.lifecycle --minutes {options.minutes:g} --seed {options.seed}"
        record("lifecycle", command, result)


if __name__ == "__main__":
    main()
