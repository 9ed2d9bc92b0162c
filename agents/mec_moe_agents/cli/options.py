"""What all commands share: options, and one clear line with an exit code on failure."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from mec_moe_agents.extras import explain
from mec_moe_agents.outside.syntax import read_value

if TYPE_CHECKING:
    from mec_moe_agents.evaluation.naming import Chosen
    from mec_moe_env.config import Config

FAILED = 1
WRONG_USE = 2
INTERRUPTED = 130
COMPILING = "compiling machine code … (once; cached afterwards)"
TEXT_FIELDS = ("tasks", "data_path", "gates", "positions", "channel_trace", "arrivals")


def given_path(text: str | Path) -> Path:
    """Read a path from the command line, where an empty one would be the current folder."""
    if text == "":
        raise typer.BadParameter("an empty path; the current folder is `.`")
    return Path(os.path.expanduser(text))


def given_file(text: str | Path) -> Path:
    """Read the path of a file from the command line."""
    if text == "":
        raise typer.BadParameter("an empty path; expected that of a file")
    return given_path(text)


def path_option(what: str, metavar: str = "PATH") -> Any:
    """Make an option that takes a path, with a line of help."""
    return typer.Option(help=what, parser=given_path, metavar=metavar)


def _named_or_read(ctx: typer.Context, value: str | None) -> str | None:
    """See that a scenario is named where no file has one; the file's option is parsed before."""
    if value is None and ctx.params.get("config") is None and not ctx.resilient_parsing:
        raise typer.BadParameter("Missing option: name a scenario, or give --config FILE.")
    return value


ScenarioName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        callback=_named_or_read,
        help="A preset, DMoE's as dmoe/NAME; see `mec-moe scenarios`. Required without --config.",
    ),
]
ConfigPath = Annotated[
    Path | None,
    typer.Option(
        "--config",
        is_eager=True,
        parser=given_file,
        metavar="FILE",
        help="TOML, JSON or YAML with fields of a scenario, which is called after the file; with "
        "--scenario, fields of that one.",
    ),
]
ConfigPaths = Annotated[
    list[Path] | None,
    typer.Option(
        "--config",
        parser=given_file,
        metavar="FILE",
        help="TOML, JSON or YAML with fields of a scenario, called after the file; repeatable.",
    ),
]
TrustZip = Annotated[
    bool,
    typer.Option(
        "--trust-zip",
        help="Load model.zip files of Stable-Baselines3 among --agents. Loading one runs code that "
        "is in it: only files whose maker you trust.",
    ),
]
EnvironmentName = Annotated[
    str | None,
    typer.Option(help="offloading or dmoe, whose presets then need no dmoe/ before them."),
]
REFERENCES = (
    "names of `mec-moe agents`, package.module:Class, file.py:Class, the folder of a training run "
    "or a model.zip, with commas between them, options in brackets (des[quality=0.7]); or `all`."
)
AgentNames = Annotated[str, typer.Option(metavar="AGENTS", help=f"Agents: {REFERENCES}")]
Baselines = Annotated[
    str, typer.Option("--agents", metavar="AGENTS", help=f"Agents to compare with: {REFERENCES}")
]
Episodes = Annotated[int, typer.Option(min=1, help="Episodes per agent.")]
FirstSeed = Annotated[int, typer.Option(min=0, help="The others follow it.")]
Certify = Annotated[
    bool,
    typer.Option(
        "--certify",
        help="Compute the bounds and clairvoyant plans that are not shipped: seconds a seed.",
    ),
]
ExecutorName = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="WHERE",
        help="Work at several places at once: processes:N, ray (the cluster of RAY_ADDRESS, or "
        "this machine) or ray://HOST:PORT. Results do not depend on it.",
    ),
]
ResultsFolder = Annotated[Path, path_option("Folder for the results.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Override a config field; repeatable."),
]


def leave(message: str, code: int) -> NoReturn:
    """Say why on stderr and end the command with `code`."""
    typer.echo(f"mec-moe: {message}", err=True)
    raise typer.Exit(code)


def tell(text: str) -> None:
    """Say on stderr how far the work is."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def reported(interrupted: str = "interrupted") -> Iterator[None]:
    """End the command with the right code when the block fails for a reason outside the code.

    A block that waits for machine code to be compiled says so. A `ValueError` comes from what the
    user asked for (2); files, folders, missing extras and want of memory fail at run time (1);
    Ctrl-C says `interrupted` (130).
    """
    from mec_moe_env.core.kernels import noticed_compilation

    try:
        with noticed_compilation(lambda: tell(COMPILING)):
            yield
    except KeyboardInterrupt:
        leave(interrupted, INTERRUPTED)
    except ValueError as error:
        leave(str(error), WRONG_USE)
    except OSError as error:
        leave(str(error), FAILED)
    except ImportError as error:
        leave(explain(error), FAILED)
    except MemoryError as error:
        leave(f"out of memory: {error}", FAILED)


def parse_overrides(settings: Sequence[str] | None, option: str = "--set") -> dict[str, Any]:
    """Parse settings like `horizon=100`, `doppler_hz=inf`, `payload_mbit=0.2,1.0`.

    Whether a field exists and admits the value is for the config to say.

    Raises:
        ValueError: a setting has no `=`.
    """
    overrides = {}
    for setting in settings or ():
        field, separator, text = setting.partition("=")
        if not separator or not field:
            raise ValueError(f"{option} expects FIELD=VALUE, got {setting!r}")
        overrides[field.strip()] = _parse_value(field.strip(), text.strip())
    return overrides


def _parse_value(field: str, text: str) -> Any:
    """Read a number, a tuple of numbers, None, inf, or plain text."""
    return text if field in TEXT_FIELDS and text != "None" else read_value(text)


def choose_scenario(
    env: str | None, scenario: str | None, config: Path | None, settings: Sequence[str] | None
) -> Chosen:
    """Find the scenario that --env, --scenario, --config and --set ask for.

    Raises:
        OSError: the file is missing or cannot be opened.
        ValueError: a name, a field or the file is wrong.
        ImportError: the file needs an extra that is not installed.
    """
    from mec_moe_agents.evaluation.naming import choose

    return choose(env, scenario, parse_overrides(settings), config)


def check_replaceable(rows: Path, config: Config) -> None:
    """See that rows which are there are of this configuration: they will be written anew.

    Raises:
        ValueError: they are of another one; the first fields that differ are named.
    """
    from mec_moe_agents.evaluation.store import differing_config

    differing = differing_config(rows, config)
    if differing:
        raise ValueError(f"{rows} is of another configuration: {differing}. Take another --out")


def check_writable(folder: Path) -> None:
    """Make the folder and see that a file can be written there.

    Raises:
        OSError: it cannot; the message names the folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(f"cannot write to the output folder {folder}: {error.strerror}") from error


def print_places(places: Mapping[str, object]) -> None:
    """Print what was written, and where."""
    for what, where in places.items():
        print(f"{what:>12}  {where}")
