"""Which code a result comes from."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

import mec_moe_agents
import mec_moe_env

# These ask for episodes, show them or time them; no episode depends on one of them. All that
# runs, stores or averages episodes counts: training chooses its checkpoints by such means.
REPORTS = (
    "aggregate",
    "color",
    "columns",
    "comparison_figure",
    "drawing",
    "export",
    "hypotheses",
    "leaderboard",
    "line",
    "looks",
    "markdown",
    "ranking_figure",
    "scale",
    "soundness",
    "summary",
    "tables",
    "verdict",
)
# What the suite ships is looked up anew each time, and nothing of it is kept in a store.
SUITE = (
    "brackets.py",
    "build.py",
    "check.py",
    "data",
    "definitions.py",
    "entrants.py",
    "machine.py",
    "manifest.py",
    "standing.py",
    "submission.py",
    "theory.py",
    "verification.py",
)
PRESENTATION = {
    "bench",
    "rendering",
    "cli",
    "replay",
    "report",
    "reproduce",
    "testing",
    *(f"suite/{name}" for name in SUITE),
    *(f"evaluation/{module}.py" for module in REPORTS),
}
DECIDING = frozenset({".json", ".npz", ".py", ".safetensors"})
"""Code, and the weights that are shipped with it."""


@dataclass(frozen=True)
class Provenance:
    """Version of the package and state of its code."""

    version: str
    commit: str | None
    """Git commit, with `-dirty` when files differ from it; None outside a repository."""
    fingerprint: str
    """Digest of the code, and of the weights shipped with it, that results depend on."""

    @property
    def identity(self) -> str:
        """What must be equal for two results to be of the same code."""
        return f"{self.version}+{self.fingerprint}"

    @property
    def columns(self) -> dict[str, str]:
        """What every row of a results file says of its origin."""
        return {"version": self.version, "commit": self.commit or "", "code": self.fingerprint}


def current_provenance() -> Provenance:
    """Describe the code that is running."""
    environment = Path(mec_moe_env.__file__).parent
    agents = Path(mec_moe_agents.__file__).parent
    digest = fingerprint(environment, agents)
    return Provenance(mec_moe_env.__version__, git_commit(agents), digest)


def fingerprint(*packages: Path) -> str:
    """Return a digest of the code and weights of packages, presentation left out."""
    digest = hashlib.sha256()
    for package in packages:
        for file in sorted(package.rglob("*")):
            name = file.relative_to(package)
            presents = any(each.as_posix() in PRESENTATION for each in (name, *name.parents))
            if file.suffix in DECIDING and not presents:
                digest.update(f"{package.name}/{name.as_posix()}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def git_commit(package: Path) -> str | None:
    """Return the commit of the checkout that tracks `package`, or None.

    An installed package may lie inside somebody else's repository; that one's commit says
    nothing, so that only a repository that tracks the package counts.
    """
    if _git(package, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    return _git(package, "describe", "--always", "--dirty", "--abbrev=40", "--exclude", "*")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
