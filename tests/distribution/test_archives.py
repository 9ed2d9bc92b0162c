"""What `make dist` built holds what it must, and no more; run by `make dist` alone."""

import subprocess
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from tests.distribution.built import ROOT, sdist, wheel

PACKAGES = {"mec_moe_env": "mec_moe_env", "mec_moe_agents": "agents/mec_moe_agents"}
"""Where the repository has what the wheel installs."""
MOST_BYTES = {"wheel": 3_000_000, "sdist": 6_000_000}


def tracked(folder: str) -> set[str]:
    """Return the files of a folder that the repository keeps, by their paths below it."""
    command = ["git", "ls-files", "-z", "--", "."]
    done = subprocess.run(command, cwd=ROOT / folder, capture_output=True, text=True, check=True)
    return {name for name in done.stdout.split("\0") if name}


def held(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def test_the_wheel_holds_both_packages_with_all_their_data() -> None:
    expected = {f"{name}/{file}" for name, folder in PACKAGES.items() for file in tracked(folder)}
    for suffix in (".npz", ".json", ".csv", ".js", ".css", ".html", "py.typed"):
        assert any(file.endswith(suffix) for file in expected)
    assert {name for name in held(wheel()) if ".dist-info/" not in name} == expected


def test_the_wheel_tells_who_it_is() -> None:
    with zipfile.ZipFile(wheel()) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        (scripts,) = (name for name in archive.namelist() if name.endswith("/entry_points.txt"))
        lines = archive.read(metadata).decode().splitlines()
        assert "mec-moe = mec_moe_agents.__main__:main" in archive.read(scripts).decode()
    assert {"Name: mec-moe-env", "License-Expression: MIT"} <= set(lines)
    assert not any(line.startswith(("Project-URL", "Home-page")) for line in lines)


def test_the_source_archive_holds_what_tests_and_docs_need() -> None:
    with tarfile.open(sdist()) as archive:
        files = {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()}
    for folder in ("mec_moe_env", "agents", "tests", "examples", "benchmarks", "docs"):
        assert {f"{folder}/{file}" for file in tracked(folder)} <= files
    assert {"README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md"} <= files
    assert {"pyproject.toml", "Makefile", "constraints.txt"} <= files
    assert {"constraints-libraries.txt", "constraints-ray.txt"} <= files
    assert not any(name.startswith((".venv", "runs", "build", "dist")) for name in files)


def test_both_are_small() -> None:
    assert wheel().stat().st_size < MOST_BYTES["wheel"]
    assert sdist().stat().st_size < MOST_BYTES["sdist"]
