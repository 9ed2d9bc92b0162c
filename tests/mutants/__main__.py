"""Mutants of dynamics, pricing, solvers and statistics, and how many of them the tests kill.

    python -m tests.mutants --count 400 --seed 1            goes on where it was stopped
    python -m tests.mutants --count 400 --seed 1 --record   notes the result in docs/trust.md

What was tried stands in build/mutants. A mutant that survived is tried again once a test changed.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.mutants import trial
from tests.mutants.explained import why_equivalent
from tests.mutants.places import Mutant, draw, places_of
from tests.mutants.scope import GROUPS

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "mutants"
GROUP = {file: group for group, files in GROUPS.items() for file in files}
TESTS = {file: tests for files in GROUPS.values() for file, tests in files.items()}


def digest_of(files: Sequence[str], *words: str) -> str:
    """Return a digest of files, and of words."""
    digest = hashlib.sha256("|".join(words).encode())
    for file in files:
        digest.update((ROOT / file).read_bytes())
    return digest.hexdigest()[:12]


class Outcomes:
    """What became of mutants, a line for each trial, so that a stopped run goes on."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _entries(self) -> list[dict[str, str]]:
        lines = self._path.read_text("utf-8").splitlines() if self._path.exists() else []
        return [json.loads(line) for line in lines]

    def add(self, mutant: Mutant, killed: bool, tests: str) -> None:
        """Write a line; `tests` is a digest of those that ran."""
        entry = {"mutant": mutant.name, "killed": killed, "tests": tests}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def known(self, mutants: Sequence[Mutant], tests: Mapping[str, str]) -> dict[Mutant, bool]:
        """Return which mutants are killed, but for survivors of other tests than those of now.

        Those that are explained as equivalent need no other tests.

        Args:
            mutants: those to look up.
            tests: a digest of the tests of each file.
        """
        last = {entry["mutant"]: (entry["killed"], entry["tests"]) for entry in self._entries()}
        tried = ((each, *last[each.name]) for each in mutants if each.name in last)
        return {
            each: bool(dead)
            for each, dead, by in tried
            if dead or by == tests[each.file] or why_equivalent(each) is not None
        }

    def first(self) -> dict[str, bool]:
        """Return by name whether a mutant was killed when it was first tried."""
        return {entry["mutant"]: bool(entry["killed"]) for entry in reversed(self._entries())}


def quick_tests(processes: int) -> Mapping[str, Sequence[str]]:
    """Return by file of tests those that are quick; measured anew after the file changed."""
    kept = BUILD / "quick.json"
    found = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    files = sorted({file for files in TESTS.values() for file in files})
    digests = {file: digest_of([file]) for file in files}
    new = [file for file in files if found.get(file, [None])[0] != digests[file]]
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork")) as executor:
        for file, tests in zip(new, executor.map(measured, new), strict=True):
            print(f"{file}: {len(tests)} quick tests", flush=True)
            found[file] = [digests[file], tests]
            kept.write_text(json.dumps(found, indent=1), "utf-8")
    return {file: found[file][1] for file in files}


def measured(file: str) -> list[str]:
    """Return the quick tests of a file."""
    with tempfile.TemporaryDirectory() as folder:
        trial.copy_code(ROOT, Path(folder))
        return trial.quick_tests(Path(folder), file)


def drawn_mutants(count: int, seed: int) -> tuple[list[Mutant], int]:
    """Return the mutants drawn, and of how many places; drawn anew after a file changed."""
    digest = digest_of([*TESTS, "tests/mutants/places.py"], f"{count} {seed}")
    kept = BUILD / f"drawn-{digest}.json"
    if not kept.exists():
        places = [place for file in TESTS for place in places_of(ROOT, file)]
        drawn = [dataclasses.asdict(each) for each in draw(ROOT, places, count, seed)]
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps([drawn, len(places)]), "utf-8")
    drawn, of = json.loads(kept.read_text("utf-8"))
    return [Mutant(**each) for each in drawn], of


def try_all(
    mutants: Sequence[Mutant],
    outcomes: Outcomes,
    quick: Mapping[str, Sequence[str]],
    digests: Mapping[str, str],
) -> None:
    """Try one mutant after the other, in a copy of the code.

    Args:
        mutants: those to try.
        outcomes: where to write what became of them.
        quick: the tests to run by file of tests.
        digests: of the tests of each mutated file, as they are in the copy.
    """
    with tempfile.TemporaryDirectory() as folder:
        trial.copy_code(ROOT, Path(folder))
        for mutant in mutants:
            tests = [name for file in TESTS[mutant.file] for name in quick[file]]
            killed = trial.is_killed(Path(folder), mutant, tests)
            outcomes.add(mutant, killed, digests[mutant.file])
            told = "killed" if killed else "SURVIVES"
            print(f"{told} {mutant.file}:{mutant.line} {mutant.old} → {mutant.new}", flush=True)


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=400, help="mutants (default 400)")
    parser.add_argument("--seed", type=int, default=1, help="decides which (default 1)")
    parser.add_argument("--processes", type=int, default=1, help="trials at a time")
    parser.add_argument("--record", action="store_true", help="note the run in docs/trust.md")
    return parser.parse_args(words)


def report(killed: Mapping[Mutant, bool], first: Mapping[str, bool], places: int) -> str:
    """Write what a run came to."""
    from tests.mutants import score

    at_first = sum(first[mutant.name] for mutant in killed)
    return (
        f"{sum(killed.values())} of {len(killed)} mutants killed, drawn from {places:,} places in "
        f"{len(TESTS)} files; {at_first} when first tried, before tests were written for "
        f"survivors.\n\n{score.table(GROUP, killed)}\n\nSurvivors:\n\n{score.survivors(killed)}"
    )


def main() -> int:
    """Try the mutants that were not tried yet, and tell what all came to; return 1 if stopped."""
    options = arguments()
    # Here and not above: whoever imports this file, as its test does, goes on compiling.
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    trial.preload()
    drawn, places = drawn_mutants(options.count, options.seed)
    outcomes = Outcomes(BUILD / "outcomes.jsonl")
    quick = quick_tests(options.processes)
    tests = {
        file: digest_of(files, *(name for each in files for name in quick[each]))
        for file, files in TESTS.items()
    }
    known = outcomes.known(drawn, tests)
    left = [mutant for mutant in drawn if mutant not in known]
    if left:
        context = multiprocessing.get_context("fork")
        lanes = [
            context.Process(
                target=try_all, args=(left[lane :: options.processes], outcomes, quick, tests)
            )
            for lane in range(options.processes)
        ]
        for process in lanes:
            process.start()
        for process in lanes:
            process.join()
        known = outcomes.known(drawn, tests)
    if len(known) < len(drawn):
        print(f"{len(drawn) - len(known)} mutants were not tried: the run was stopped")
        return 1
    result = report(known, outcomes.first(), places)
    print(result)
    if options.record:
        from tests.record import record

        command = f"python -m tests.mutants --count {options.count} --seed {options.seed}"
        record("mutants", command, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
