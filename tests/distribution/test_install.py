"""The wheel in an empty environment away from the repository; run by `make dist` alone."""

import csv
import os
import subprocess
import venv
from pathlib import Path

import pytest

from mec_moe_env import __version__
from tests.distribution.built import ROOT, wheel

FOREIGN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "NUMBA_CACHE_DIR")
"""Variables by which the repository, or what was compiled for it, could be found after all."""


class Elsewhere:
    """An environment of its own, and a folder to work in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        self._bin = folder / "venv" / "bin"
        venv.create(folder / "venv", with_pip=True)

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in the folder."""
        clean = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        return subprocess.run(
            [self._bin / program, *arguments],
            cwd=self.folder,
            env=clean,
            capture_output=True,
            text=True,
        )

    def install(self, extras: str = "") -> None:
        """Install the wheel, with extras in brackets."""
        constraints = str(ROOT / "constraints.txt")
        options = ("-m", "pip", "install", "--quiet", "--constraint", constraints)
        done = self.run("python", *options, f"{wheel()}{extras}")
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    """Install the wheel without extras."""
    elsewhere = Elsewhere(tmp_path_factory.mktemp("elsewhere"))
    elsewhere.install()
    return elsewhere


def test_without_extras_one_line_says_what_is_missing(plain: Elsewhere) -> None:
    done = plain.run("mec-moe", "--version")
    assert (done.returncode, done.stdout) == (1, "")
    wanted = "mec-moe: the command line needs typer: pip install 'mec-moe-env[cli]'\n"
    assert done.stderr == wanted
    code = "import mec_moe_env, mec_moe_agents; print(mec_moe_env.__file__)"
    imported = plain.run("python", "-c", code)
    assert imported.returncode == 0, imported.stderr
    assert "site-packages" in imported.stdout


@pytest.fixture(scope="module")
def extended(plain: Elsewhere) -> Elsewhere:
    """Add the extras that a comparison on real digits needs."""
    plain.install("[cli,digits]")
    return plain


def test_with_extras_schedulers_are_compared(extended: Elsewhere) -> None:
    version = extended.run("mec-moe", "--version")
    assert (version.returncode, version.stdout) == (0, f"mec-moe-env {__version__}\n")
    arguments = ("--scenario", "digits", "--seeds", "2", "--agents", "guard,random")
    done = extended.run("mec-moe", "compare", *arguments, "--out", "compared")
    assert done.returncode == 0, done.stderr
    with (extended.folder / "compared" / "rows.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    asked = {(agent, seed) for agent in ("guard", "random") for seed in ("0", "1")}
    # The shipped plans of `clairvoyant` are played beside what was asked for.
    assert asked < {(row["agent"], row["seed"]) for row in rows}
    assert {row["version"] for row in rows} == {__version__}
    assert {row["commit"] for row in rows} == {""}
    assert (extended.folder / "compared" / "comparison.png").is_file()
