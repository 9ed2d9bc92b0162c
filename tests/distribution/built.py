"""The wheel and the source archive that `make dist` built before it runs these tests."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "dist"


def wheel() -> Path:
    """Return the only wheel."""
    return _only("*.whl")


def sdist() -> Path:
    """Return the only source archive."""
    return _only("*.tar.gz")


def _only(pattern: str) -> Path:
    found = list(FOLDER.glob(pattern))
    assert len(found) == 1, f"{len(found)} of {pattern} in build/dist: run `make dist`"
    return found[0]
