"""`mec-moe bench`: how fast the environments are."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mec_moe_agents.cli.options import ConfigPaths, path_option, reported

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from mec_moe_agents.bench.speed import Row

QUICK_SCENARIOS = ("default", "paper-synthetic", "dmoe/default", "dmoe/paper")
QUICK_SECONDS = 0.1
QUICK_SIZE = 1024


def bench(
    scenario: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Names with commas between them (DMoE's as dmoe/NAME), offloading, dmoe, or all; "
            "unless given all that need no files, toys too.",
        ),
    ] = "",
    config: ConfigPaths = None,
    threads: Annotated[str, typer.Option(help="Numbers of threads for the vectors.")] = "1,2",
    seconds: Annotated[float, typer.Option(min=0.0, help="Time of each measurement.")] = 0.5,
    json: Annotated[Path | None, path_option("File for the results.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few scenarios and sizes, 0.1 s a measurement.")
    ] = False,
) -> None:
    """Measure steps per second, memory, and how far from the floor of the random numbers."""
    with reported():
        from rich.console import Console

        from mec_moe_agents.bench import speed
        from mec_moe_agents.bench.case import find_cases
        from mec_moe_agents.evaluation.naming import split_names

        names = split_names(scenario) or (QUICK_SCENARIOS if quick and not config else ())
        cases, counts = find_cases(names, config or ()), _threads(threads)
        if json is not None and not json.absolute().parent.is_dir():
            raise FileNotFoundError(f"--json {json}: there is no folder {json.absolute().parent}")
        seconds = QUICK_SECONDS if quick else seconds
        sizes = [size for size in speed.SIZES if not quick or size <= QUICK_SIZE]
        rows: list[speed.Row] = []
        for number, case in enumerate(cases, start=1):
            typer.echo(f"[{number}/{len(cases)}] {case.name}", err=True)
            rows += speed.measure_case(case, sizes, counts, seconds)
        print_rows(Console(highlight=False), rows)
        if json is not None:
            write_rows(json, seconds, rows)
            print(f"results  {json}")


def write_rows(path: Path, seconds: float, rows: Sequence[Row]) -> None:
    """Write the rows as JSON, with what they were measured on."""
    from mec_moe_agents.evaluation.provenance import current_provenance
    from mec_moe_env.files import write_json

    provenance = current_provenance()
    document = {
        "version": provenance.version,
        "commit": provenance.commit,
        "machine": describe_machine(),
        "seconds_per_measurement": seconds,
        "rows": list(map(asdict, rows)),
    }
    write_json(path, document, indent=1)


def describe_machine() -> dict[str, Any]:
    """Return what speed depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{package: version(package) for package in ("numpy", "numba", "gymnasium")},
    }


def print_rows(console: Console, rows: Sequence[Row]) -> None:
    """Print a table for each case."""
    from mec_moe_agents.bench.speed import MEMORY_LIMIT, TIME_LIMIT

    for case, group in groupby(rows, key=lambda row: row.case):
        members = list(group)
        first = members[0]
        console.print(
            f"\n[bold]{case}[/bold]: floor {first.floor_ns:,.0f} ns "
            f"({first.floor_drawing_ns:,.0f} drawing), "
            f"{first.bytes_per_env / 1e3:,.0f} kB each"
        )
        table = bench_table("Envs", "Threads", "Steps/s", "ns/step", "×floor", "Gain")
        for row in members:
            if row.skipped is None:
                table.add_row(*_cells(row))
        console.print(table)
        skipped = {row.num_envs: row.skipped for row in members if row.skipped is not None}
        for num_envs, needed in skipped.items():
            console.print(f" {num_envs:,} envs skipped: {needed}")
    console.print(
        "\nFloor: time to draw a step's random numbers with a NumPy Generator and to write"
    )
    console.print("its observation. The environments' own random numbers are faster.")
    console.print("Gain: over the first number of threads.")
    if any(row.skipped for row in rows):
        limits = f"{MEMORY_LIMIT / 2**30:.0f} GiB of memory or {TIME_LIMIT:.0f} s a round"
        console.print(f"Skipped: would take more than {limits}.")


def _cells(row: Row) -> list[str]:
    return [
        "scalar" if row.form == "scalar" else f"{row.num_envs:,}",
        str(row.num_threads),
        or_blank(row.steps_per_second, ",.0f"),
        or_blank(row.step_ns, ",.0f"),
        or_blank(row.ratio, ",.1f"),
        or_blank(row.gain, ".2f"),
    ]


def or_blank(value: float | None, style: str) -> str:
    """Format a number that may be missing."""
    return "" if value is None else format(value, style)


def bench_table(*headings: str) -> Table:
    """Make a table of numbers that fits a narrow terminal."""
    from mec_moe_agents.evaluation.tables import plain_table

    table = plain_table()
    table.collapse_padding = True
    for column, heading in enumerate(headings):
        table.add_column(heading, justify="right" if column > 0 else "left", no_wrap=True)
    return table


def _threads(text: str) -> list[int]:
    from mec_moe_agents.evaluation.naming import split_names

    counts = split_names(text)
    if not counts or not all(count.isdecimal() and int(count) > 0 for count in counts):
        raise ValueError(f"--threads {text!r}: expected whole numbers ≥ 1 with commas between them")
    return [int(count) for count in counts]
