"""The lock file holds what `constraints.txt` names, each with hashes; `make lock` makes it."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
BY_VERSION = "torch"
"""Its wheels without CUDA lie on an index of their own."""


def locked(text: str) -> dict[str, list[str]]:
    """Return the hashes of each requirement, `name==version`."""
    joined = text.replace("\\\n", " ")
    lines = [line.split() for line in joined.splitlines() if line and not line.startswith("#")]
    return {requirement: options for requirement, *options in lines}


def pinned() -> list[str]:
    return (ROOT / "constraints.txt").read_text().split()


def plain(requirement: str) -> str:
    """Write a name as indexes do: lower case, runs of `-_.` as one `-`."""
    name, version = requirement.split("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"


def test_lock_and_constraints_agree() -> None:
    wanted = {plain(each) for each in pinned() if not each.startswith(f"{BY_VERSION}==")}
    assert set(map(plain, locked((ROOT / "requirements.lock").read_text()))) == wanted
    assert any(each.startswith(f"{BY_VERSION}==") for each in pinned())


def test_libraries_have_the_same_versions_but_for_what_they_refuse() -> None:
    """`make libraries` installs all that is listed, and resolves nothing."""
    versions = dict(plain(each).split("==") for each in pinned())
    listed = (ROOT / "constraints-libraries.txt").read_text().split()
    theirs = dict(plain(each).split("==") for each in listed)
    other = {name for name in theirs.keys() & versions.keys() if theirs[name] != versions[name]}
    assert other == {"filelock", "pandas", "python-dateutil"}
    assert {"torchrl", "skrl", "tianshou", "rl-zoo3"} <= theirs.keys()


def test_every_requirement_has_hashes_and_nothing_else() -> None:
    for requirement, options in locked((ROOT / "requirements.lock").read_text()).items():
        assert options, requirement
        assert all(HASH.fullmatch(option) for option in options), requirement


def test_the_build_needs_nothing_beyond_the_lock() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    names = {plain(each).split("==")[0] for each in pinned()}
    for needed in project["build-system"]["requires"]:
        assert re.split(r"[><=\[]", needed)[0] in names


def test_no_index_is_named() -> None:
    text = (ROOT / "requirements.lock").read_text() + (ROOT / ".ci" / "lock").read_text()
    assert "://" not in text
    assert "index-url" not in text
