"""`mec-moe bench`: how fast the environments are."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mec_moe_agents.cli.options import reported

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from mec_moe_agents.bench.speed import PeerRow, Row, ScaleRow

QUICK_PRESETS = ("default", "paper-synthetic", "paper")
QUICK_SECONDS = 0.1
QUICK_SIZE = 1024
HEADINGS = ("Draw", "Reset", "Act", "Obs", "API")
"""Of `STAGES`, short enough for a narrow terminal."""
SCALE = {
    "num_servers": ",",
    "num_subcarriers": ",",
    "step_us": ",.1f",
    "ns_each": ",.0f",
    "ns_per_link": ",.1f",
    "reset_ms": ",.2f",
    "reserved_mb": ",.2f",
    "resident_mb": ",.1f",
    "resident_kb_each": ",.1f",
}
"""Columns of the table of growth, and how their numbers are written."""


def bench(
    preset: Annotated[
        str, typer.Option(help="Names with commas between them; all that need no files if empty.")
    ] = "",
    threads: Annotated[str, typer.Option(help="Numbers of threads for the vectors.")] = "1,2",
    seconds: Annotated[float, typer.Option(min=0.0, help="Time of each measurement.")] = 0.5,
    json: Annotated[Path | None, typer.Option(help="File for the results.")] = None,
    peers: Annotated[bool, typer.Option("--peers", help="Measure other packages too.")] = False,
    scale: Annotated[
        bool, typer.Option("--scale", help="Let servers and subcarriers grow too.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few presets and sizes, 0.1 s a measurement.")
    ] = False,
) -> None:
    """Measure steps per second, memory, and how far from the floor of the random numbers."""
    with reported():
        from rich.console import Console

        from mec_moe_agents.bench import speed
        from mec_moe_agents.bench.case import find_cases

        names = _split(preset) or (QUICK_PRESETS if quick else ())
        cases, counts = find_cases(names), _threads(threads)
        if json is not None and not json.absolute().parent.is_dir():
            raise FileNotFoundError(f"--json {json}: there is no folder {json.absolute().parent}")
        seconds = QUICK_SECONDS if quick else seconds
        sizes, growth = (
            [size for size in every if not quick or size <= QUICK_SIZE]
            for every in (speed.SIZES, speed.GROWTH)
        )
        results: dict[str, list[Any]] = {"rows": [], "peers": [], "scale": []}
        for number, case in enumerate(cases, start=1):
            typer.echo(f"[{number}/{len(cases)}] {case.name}", err=True)
            results["rows"] += speed.measure_case(case, sizes, counts, seconds)
        if peers:
            typer.echo("peers", err=True)
            results["peers"] += speed.measure_peers(seconds)
        if scale:
            typer.echo("scale", err=True)
            results["scale"] += speed.measure_scale(seconds, growth)
        print_results(Console(highlight=False), **results)
        if json is not None:
            write_results(json, seconds, results)
            print(f"results  {json}")


def write_results(path: Path, seconds: float, results: Mapping[str, Sequence[Any]]) -> None:
    """Write the rows of each part as JSON, with what they were measured on.

    Raises:
        OSError: the file cannot be written; nothing is left half-written.
    """
    from mec_moe_agents.evaluation.provenance import current_provenance
    from mec_moe_env.files import write_json

    provenance = current_provenance()
    document = {
        "version": provenance.version,
        "commit": provenance.commit,
        "machine": describe_machine(),
        "seconds_per_measurement": seconds,
        **{part: list(map(asdict, rows)) for part, rows in results.items()},
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


def print_results(
    console: Console, rows: Sequence[Row], peers: Sequence[PeerRow], scale: Sequence[ScaleRow]
) -> None:
    """Print the parts that were measured as tables."""
    if rows:
        _print_rows(console, rows)
    if peers:
        _print_peers(console, peers)
    if scale:
        _print_scale(console, scale)


def _print_rows(console: Console, rows: Sequence[Row]) -> None:
    from mec_moe_agents.bench.speed import MEMORY_LIMIT, TIME_LIMIT

    for case, group in groupby(rows, key=lambda row: row.case):
        members = list(group)
        first = members[0]
        console.print(
            f"\n[bold]{case}[/bold]: floor {first.floor_ns:,.0f} ns "
            f"({first.floor_drawing_ns:,.0f} drawing), "
            f"{first.bytes_per_env / 1e3:,.0f} kB each"
        )
        table = _table("Envs", "Threads", "Steps/s", "ns/step", "×floor", "Gain", *HEADINGS)
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
    console.print("Gain: over the first number of threads. Draw … API: % of a step on one thread.")
    if any(row.skipped for row in rows):
        limits = f"{MEMORY_LIMIT / 2**30:.0f} GiB of memory or {TIME_LIMIT:.0f} s a round"
        console.print(f"Skipped: would take more than {limits}.")


def _cells(row: Row) -> list[str]:
    from mec_moe_agents.bench.stages import STAGES

    stages = row.stages or {}
    return [
        "scalar" if row.form == "scalar" else f"{row.num_envs:,}",
        str(row.num_threads),
        _or_blank(row.steps_per_second, ",.0f"),
        _or_blank(row.step_ns, ",.0f"),
        _or_blank(row.ratio, ",.1f"),
        _or_blank(row.gain, ".2f"),
        *(f"{100 * stages[stage]:.0f}" if stage in stages else "" for stage in STAGES),
    ]


def _print_peers(console: Console, rows: Sequence[PeerRow]) -> None:
    ours, peers = rows[:2], rows[2:]
    table = _table("Environment", "Copies", "Steps/s", "Ours scalar", f"Ours ×{ours[1].num_envs:,}")
    for row in rows:
        ratios = [f"{row.step_ns / own.step_ns:,.2f} ×" if row in peers else "" for own in ours]
        table.add_row(row.name, f"{row.num_envs:,}", f"{row.steps_per_second:,.0f}", *ratios)
    console.print(table)


def _print_scale(console: Console, rows: Sequence[ScaleRow]) -> None:
    for (grows, channel), group in groupby(rows, key=lambda row: (row.grows, row.channel)):
        console.print(f"\n[bold]{grows.capitalize()} grow[/bold], {channel} channel")
        one = "M" if grows == "servers" else "S"
        table = _table(
            "M", "S", "µs/step", f"ns/{one}", "ns/link", "reset ms", "MB", "touched", f"kB/{one}"
        )
        for row in group:
            table.add_row(*(_or_blank(getattr(row, name), SCALE[name]) for name in SCALE))
        console.print(table)
    console.print(
        "One environment of M servers and S subcarriers; a step draws M·S links. MB asked"
    )
    console.print("for, MB touched (what the process grew by), and the latter in kB over M or S.")


def _or_blank(value: float | None, style: str) -> str:
    return "" if value is None else format(value, style)


def _table(*headings: str) -> Table:
    from mec_moe_agents.evaluation.tables import plain_table

    table = plain_table()
    table.collapse_padding = True
    for column, heading in enumerate(headings):
        table.add_column(heading, justify="right" if column > 0 else "left", no_wrap=True)
    return table


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _threads(text: str) -> list[int]:
    counts = _split(text)
    if not counts or not all(count.isdecimal() and int(count) > 0 for count in counts):
        raise ValueError(f"--threads {text!r}: expected whole numbers ≥ 1 with commas between them")
    return [int(count) for count in counts]
