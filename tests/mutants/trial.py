"""A mutant's trial: a copy of the code with one place changed, and the tests that may tell.

A trial is a forked process that has the libraries already, imports our code as it stands in the
copy, as plain Python, and runs the tests until one fails.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import os
import resource
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.mutants.places import Mutant, mutated

COPIED = ("mec_moe_env", "agents", "tests", "pyproject.toml")
OURS = ("mec_moe_env", "mec_moe_agents", "tests")
LIBRARIES = (
    *("gymnasium", "hypothesis", "numba", "pytest"),
    *("scipy.optimize", "scipy.stats", "sklearn.datasets"),
)
OPTIONS = (
    *("-q", "--assert=plain", "--tb=no", "-W", "ignore::RuntimeWarning"),
    *("-p", "no:cacheprovider", "-p", "no:unraisableexception"),
)
"""Nothing that explains a failure, or that only some other tests need: a second each time."""
CPU_SECONDS = 60
"""A mutant that computes longer counts as killed: the quick tests of a file take a fifth of it."""
WALL_SECONDS = 1800
"""Likewise one that waits."""
LOG, QUICK = "log.txt", "quick.json"


def preload() -> None:
    """Import the libraries once for all trials."""
    for name in LIBRARIES:
        importlib.import_module(name)


def copy_code(root: Path, to: Path) -> None:
    """Copy what the tests need of the repository."""
    for name in COPIED:
        if (root / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.nbi", "*.nbc")
            shutil.copytree(root / name, to / name, ignore=ignored)
        else:
            shutil.copy2(root / name, to / name)


def is_killed(tree: Path, mutant: Mutant, tests: Sequence[str]) -> bool:
    """Return whether one of the tests fails while a file of the copy is a mutant."""
    with _changed(tree, mutant):
        return _outcome(tree, ["-x", *tests], False) != 0


def quick_tests(tree: Path, file: str) -> list[str]:
    """Return the tests of a file that are quick and pass on the copy as it is, quickest first."""
    (tree / QUICK).unlink(missing_ok=True)
    _outcome(tree, [file], True)
    return [name for _, name in sorted(json.loads((tree / QUICK).read_text("utf-8")))]


@contextlib.contextmanager
def _changed(tree: Path, mutant: Mutant) -> Iterator[None]:
    """Let a file of the copy be a mutant for a while."""
    path = tree / mutant.file
    source, before = path.read_text("utf-8"), path.stat()
    path.write_text(mutated(source, mutant.operator, mutant.occurrence), "utf-8")
    try:
        yield
    finally:
        path.write_text(source, "utf-8")
        # As it was for Python too, which keeps what it compiled of a file by its time.
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _outcome(tree: Path, arguments: Sequence[str], timed: bool) -> int | None:
    """Run tests in a process of their own; return its exit code, 0 where all pass."""
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_run, args=(tree, arguments, timed))
    process.start()
    process.join(WALL_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    if process.exitcode == -signal.SIGTERM:  # somebody stops the run: that tells nothing
        raise SystemExit(1)
    return process.exitcode


def _run(tree: Path, arguments: Sequence[str], timed: bool) -> None:
    """Run tests on the copy's code; ends the process."""
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]
    sys.path[:0] = [str(tree), str(tree / "agents")]
    os.chdir(tree)
    with (tree / LOG).open("w", encoding="utf-8") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    pytest, quick = map(importlib.import_module, ("pytest", "tests.mutants.quick"))
    plugins = [quick.FewExamples()]
    if timed:
        clock = quick.Clock()
        pytest.main([*OPTIONS, *arguments], [*plugins, clock])
        (tree / QUICK).write_text(json.dumps(clock.quick), "utf-8")
        os._exit(0)
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    os._exit(int(pytest.main([*OPTIONS, *arguments], plugins)))
