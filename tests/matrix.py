"""The tests on every Python that is installed, with the oldest and the newest libraries allowed.

    python -m tests.matrix                    all that `make test` runs; some hours
    python -m tests.matrix --quick            what versions break first: minutes for each row
    python -m tests.matrix --quick --record   notes the table in docs/trust.md
    python -m tests.matrix -- tests/sb3 -x    words for pytest instead

The oldest versions are the lower bounds in pyproject.toml, on the oldest Python, as later ones
have no wheels of them; the newest are what pip chooses on each Python. Only torch is one version,
that of constraints.txt, as its wheel without CUDA is not on every index. Each row of the table has
an environment in build/matrix, made once; remove it to let pip choose again.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.record import record

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "matrix"
MINORS = range(11, 15)
"""Of Python 3."""
OLDEST, NEWEST = "oldest", "newest"
SHOWN = ("numpy", "numba", "gymnasium", "stable-baselines3")
ALONE = "torch"
"""Installed first, by version."""
QUICK = (
    "tests/environments/test_registered.py",
    "tests/environments/test_golden.py",
    "tests/environments/test_vector.py",
    "tests/environments/test_toy.py",
    "tests/environments/test_dmoe_toy.py",
    "tests/solvers/test_expert_selection.py",
    "tests/solvers/test_joint_allocation.py",
    "tests/sb3",
)
"""The environments' interface, golden trajectories, parity, solvers, Stable-Baselines3."""
QUICK_NEEDS = (".[digits,rl]", "hypothesis", "pytest")
ALL = "dev"
"""The extra with all that the tests need."""
LATER = frozenset(("multiobjective",))
"""Extras of it that want a later Gymnasium than the oldest; their tests are skipped without."""


@dataclass(frozen=True)
class Cell:
    """A Python and the versions of what is installed there."""

    minor: int
    versions: str
    """OLDEST or NEWEST."""

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return FOLDER / f"3.{self.minor}-{self.versions}" / "bin" / "python"


@dataclass(frozen=True)
class Outcome:
    """What the tests of a cell came to."""

    cell: Cell
    installed: tuple[str, ...]
    """Version of Python, then of each in SHOWN."""
    passed: bool
    words: str
    """pytest's last line, without its times."""


def interpreters() -> dict[int, str]:
    """Return an interpreter for each minor version of Python that is installed."""
    found = {}
    for minor in MINORS:
        name = f"python3.{minor}"
        kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
        candidates = [shutil.which(name), *sorted(map(str, kept.glob(f"3.{minor}.*/bin/{name}")))]
        # pyenv's shims are found for versions that are switched off, and then fail.
        working = [each for each in candidates if each is not None and _runs(each)]
        if working:
            found[minor] = working[-1]
    return found


def lower_bounds(project: str) -> list[str]:
    """Return `name==version` for what the environments and Stable-Baselines3 need at least.

    Args:
        project: the text of pyproject.toml.
    """
    table = tomllib.loads(project)["project"]
    needed = [*table["dependencies"], *table["optional-dependencies"]["rl"]]
    bounds = [re.match(r"([\w-]+)>=([\d.]+)", each) for each in needed]
    return [f"{found[1]}=={found[2]}" for found in bounds if found and found[1] != ALONE]


def cells(minors: Sequence[int]) -> list[Cell]:
    """Return the rows of the table for some minor versions of Python."""
    return [Cell(min(minors), OLDEST), *(Cell(minor, NEWEST) for minor in sorted(minors))]


def needs_of_all(project: str, versions: str) -> list[str]:
    """Return what all tests need, or can have with the oldest versions.

    Args:
        project: the text of pyproject.toml.
        versions: OLDEST or NEWEST.
    """
    if versions == NEWEST:
        return [f".[{ALL}]"]
    own, *others = tomllib.loads(project)["project"]["optional-dependencies"][ALL]
    extras = own.partition("[")[2].rstrip("]").split(",")
    return [f".[{','.join(extra for extra in extras if extra not in LATER)}]", *others]


def install(cell: Cell, interpreter: str, quick: bool) -> None:
    """Make the environment of a cell, unless it is there."""
    folder = cell.python.parents[1]
    done = folder / f"installed-for-{'quick' if quick else 'all'}"
    if done.exists():
        return
    subprocess.run([interpreter, "-m", "venv", str(folder)], check=True)
    pip = [str(cell.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    (torch,) = re.findall(rf"^{ALONE}==\S+$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    bounds = lower_bounds(project) if cell.versions == OLDEST else []
    needs = QUICK_NEEDS if quick else needs_of_all(project, cell.versions)
    limits = folder / "constraints.txt"
    limits.write_text("\n".join([torch, *bounds]) + "\n")
    chosen = ["--constraint", str(limits), "--upgrade"]
    subprocess.run([*pip, *chosen, ALONE], check=True, cwd=ROOT)
    subprocess.run([*pip, *chosen, *needs], check=True, cwd=ROOT)
    done.touch()


def test(cell: Cell, words: Sequence[str]) -> Outcome:
    """Run pytest in the environment of a cell."""
    options = ("-p", "no:cacheprovider", "--continue-on-collection-errors")
    command = [str(cell.python), "-m", "pytest", *options, *words]
    variables = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    variables["NUMBA_CACHE_DIR"] = str(cell.python.parents[1] / "numba")
    variables["PYTHONPATH"] = os.pathsep.join(str(ROOT / each) for each in ("", "agents"))
    done = subprocess.run(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True)
    print(done.stdout, flush=True)
    last = (done.stdout.strip().splitlines() or ["no output"])[-1]
    return Outcome(cell, _installed(cell), done.returncode == 0, re.sub(r" in [\d.]+s.*", "", last))


def table(outcomes: Sequence[Outcome]) -> str:
    """Write a row for each cell."""
    rows = [f"| Python | versions | {' | '.join(SHOWN)} | tests |", "|" + "---|" * (len(SHOWN) + 3)]
    for each in outcomes:
        python, *libraries = each.installed
        verdict = each.words if each.passed else f"**failed**: {each.words}"
        rows.append(f"| {' | '.join([python, each.cell.versions, *libraries, verdict])} |")
    return "\n".join(rows)


def _runs(interpreter: str) -> bool:
    done = subprocess.run([interpreter, "--version"], capture_output=True)
    return done.returncode == 0


def _installed(cell: Cell) -> tuple[str, ...]:
    script = (
        "import platform, sys; from importlib.metadata import version;"
        "print(platform.python_version(), *map(version, sys.argv[1:]))"
    )
    command = [str(cell.python), "-c", script, *SHOWN]
    return tuple(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"run {', '.join(QUICK)}")
    parser.add_argument("--python", type=int, nargs="*", help="minor versions (default all found)")
    parser.add_argument("--record", action="store_true", help="note the table in docs/trust.md")
    parser.add_argument("pytest", nargs="*", help="words for pytest, after --")
    return parser.parse_args(words)


def main() -> int:
    """Run every cell; return 1 if tests failed in one."""
    options = arguments()
    found = interpreters()
    minors = [minor for minor in found if not options.python or minor in options.python]
    if not minors:
        print(f"no Python of {options.python or list(MINORS)} is installed")
        return 2
    outcomes = list[Outcome]()
    for cell in cells(minors):
        install(cell, found[cell.minor], options.quick)
        outcomes.append(test(cell, [*options.pytest, *(QUICK if options.quick else ())]))
    missing = ", ".join(f"3.{minor}" for minor in MINORS if minor not in found)
    absent = f"\n\nNot installed there: Python {missing}." if missing else ""
    result = f"{table(outcomes)}{absent}"
    print(result)
    if options.record:
        own = ["--", *options.pytest] if options.pytest else []
        words = " ".join([*["--quick"] * options.quick, *own])
        record("matrix", f"python -m tests.matrix {words}".strip(), f"\n\n{result}")
    return int(not all(each.passed for each in outcomes))


if __name__ == "__main__":
    sys.exit(main())
