"""Every command of the documentation is one: its name, its options, and the names in them."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
from mec_moe_agents.cli import app
from mec_moe_agents.environments import ENVIRONMENTS

from tests.documentation.blocks import ROOT, commands, pages

COMMANDS = sorted({found for path in pages() for found in commands(path)})
PRESETS = {name for environment in ENVIRONMENTS for name in environment.presets}
PLACEHOLDER = re.compile("[A-Z]+")
"""Stands for a name of the reader's choice, such as SCENARIO."""
COUNT = "N"
"""Stands for a number of the reader's choice."""


def understood(command: str, *, whole: bool, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the parameters; a command that a sentence names may leave out what is required."""
    given: dict[str, Any] = {}
    root: Any = typer.main.get_command(app)
    _replace_callbacks(root, given)
    arguments = ["1" if word == COUNT else word for word in shlex.split(command)[1:]]
    with pytest.raises(SystemExit) as ended:
        root.main(arguments, prog_name="mec-moe")
    said = capsys.readouterr()
    incomplete = "Missing" in said.err or "Usage" in said.out
    assert ended.value.code == 0 or (incomplete and not whole), said.err
    return given


def _replace_callbacks(group: Any, given: dict[str, Any]) -> None:
    for each in group.commands.values():
        if hasattr(each, "commands"):
            _replace_callbacks(each, given)
        else:
            each.callback = given.update


def check_presets(given: dict[str, Any]) -> None:
    """See that a scenario, or each of a list, exists."""
    for option in ("scenario", "scenarios"):
        value = given.get(option)
        if isinstance(value, str) and value not in ("", "all") and not PLACEHOLDER.fullmatch(value):
            for name in value.split(","):
                assert name.rpartition("/")[2] in PRESETS, f"no preset is called {name}"


@pytest.mark.parametrize(
    ("command", "whole"),
    [found for found in COMMANDS if found[0].startswith("mec-moe ")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_command_is_understood(
    command: str, whole: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    check_presets(understood(command, whole=whole, capsys=capsys))


@pytest.mark.parametrize(
    "command", ["mec-moe compair", "mec-moe compare --scenrio toy", "mec-moe compare --seeds x"]
)
def test_what_is_no_command_is_found(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AssertionError):
        understood(command, whole=False, capsys=capsys)


def test_what_a_whole_command_lacks_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert understood("mec-moe compare", whole=False, capsys=capsys) == {}
    with pytest.raises(AssertionError, match="Missing option"):
        understood("mec-moe compare", whole=True, capsys=capsys)


def test_what_is_no_preset_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    given = understood("mec-moe compare --scenario digit", whole=True, capsys=capsys)
    with pytest.raises(AssertionError, match="no preset is called digit"):
        check_presets(given)


@pytest.mark.parametrize(
    "command",
    [line for line, whole in COMMANDS if whole and not line.startswith("mec-moe ")],
)
def test_every_other_line_names_what_there_is(command: str) -> None:
    program, *arguments = shlex.split(command)
    if program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(arguments) <= set(targets)
    elif program == "pip":
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        extras = re.findall(r"\[([\w,]+)\]", command)
        assert set(",".join(extras).split(",")) <= {"", *project["optional-dependencies"]}
    else:
        assert program == "python", f"nobody checks {command!r}"
        assert (ROOT / arguments[0]).is_file()


def test_commands_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("See `mec-moe bench`.\n\n```\nmec-moe rank \\\n    --seeds 3  # long\n```\n")
    assert list(commands(page)) == [("mec-moe rank --seeds 3", True), ("mec-moe bench", False)]
