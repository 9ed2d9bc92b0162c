"""The `mec-moe` command line."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from mec_moe_agents.cli.bench import bench
from mec_moe_agents.cli.collect import collect
from mec_moe_agents.cli.compare import compare
from mec_moe_agents.cli.listing import agents, scenarios
from mec_moe_agents.cli.options import INTERRUPTED
from mec_moe_agents.cli.pareto import pareto
from mec_moe_agents.cli.rank import rank
from mec_moe_agents.cli.replay import replay
from mec_moe_agents.cli.report import report
from mec_moe_agents.cli.reproduce import app as reproduce
from mec_moe_agents.cli.reproduce import learn_importance
from mec_moe_agents.cli.submit import submit
from mec_moe_agents.cli.suite import app as suite
from mec_moe_agents.cli.train import evaluate, train
from mec_moe_agents.cli.verify import verify

app = typer.Typer(
    name="mec-moe",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    *(compare, rank, pareto, scenarios, agents, bench, train, evaluate, learn_importance),
    *(submit, verify, replay, report, collect),
):
    app.command()(command)
app.add_typer(reproduce, name="reproduce")
app.add_typer(suite, name="suite")


def _show_version(wanted: bool) -> None:
    if wanted:
        from mec_moe_env import __version__

        typer.echo(f"mec-moe-env {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and leave."
        ),
    ] = False,
) -> None:
    """Schedule mixture-of-experts work over edge servers, and see which scheduler is best."""


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a dash or dot is not worth an error
    try:
        app(prog_name="mec-moe")
    except KeyboardInterrupt:
        # Before a command began; the commands themselves tell more.
        raise SystemExit(INTERRUPTED) from None
