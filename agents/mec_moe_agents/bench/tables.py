"""The benchmark's results as tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table

from mec_moe_agents.bench.peers import PeerRow
from mec_moe_agents.bench.result import BenchResult
from mec_moe_agents.bench.rows import MEMORY_LIMIT, TIME_LIMIT, Row
from mec_moe_agents.bench.scale import ScaleRow
from mec_moe_agents.bench.speed import STAGES

HEADINGS = ("Draw", "Start", "Act", "Look", "API")
"""Of `STAGES`, short enough for a narrow terminal."""


def print_result(console: Console, result: BenchResult) -> None:
    """Print the parts that were measured."""
    if result.rows:
        _print_rows(console, result.rows)
    if result.peers:
        _print_peers(console, result.peers)
    if result.scale:
        _print_scale(console, result.scale)


def _print_rows(console: Console, rows: Sequence[Row]) -> None:
    for case, group in groupby(rows, key=lambda row: row.case):
        members = list(group)
        first = members[0]
        console.print(
            f"\n[bold]{case}[/bold]: floor {first.floor_ns:,.0f} ns "
            f"({first.floor_drawing_ns:,.0f} drawing; {first.counting_ns:,.0f} by counting), "
            f"{first.bytes_per_env / 1e3:,.0f} kB each"
        )
        table = _table("Envs", "Threads", "Steps/s", "ns/step", "×floor", "Gain", *HEADINGS)
        for row in members:
            if row.skipped is None:
                envs = "scalar" if row.form == "scalar" else f"{row.num_envs:,}"
                table.add_row(envs, str(row.num_threads), *_measured(row))
        console.print(table)
        skipped = {row.num_envs: row.skipped for row in members if row.skipped is not None}
        for num_envs, needed in skipped.items():
            console.print(f" {num_envs:,} envs skipped: {needed}")
    console.print(
        "\nFloor: time to draw a step's random numbers with a NumPy Generator and to write"
    )
    console.print("its observation. By counting: drawing as the environments do.")
    console.print("Gain: over the first number of threads. Draw … API: % of a step on one thread.")
    if any(row.skipped for row in rows):
        limits = f"{MEMORY_LIMIT / 2**30:.0f} GiB of memory or {TIME_LIMIT:.0f} s a round"
        console.print(f"Skipped: would take more than {limits}.")


def _measured(row: Row) -> list[str]:
    stages = row.stages or {}
    return [
        _or_blank(row.steps_per_second, ",.0f"),
        _or_blank(row.step_ns, ",.0f"),
        _or_blank(row.ratio, ",.1f"),
        _or_blank(row.gain, ".2f"),
        *(f"{100 * stages[stage]:.0f}" if stage in stages else "" for stage in STAGES),
    ]


def _print_peers(console: Console, rows: Sequence[PeerRow]) -> None:
    scalar, vector, *peers = rows
    table = _table("Environment", "Copies", "Steps/s", "Ours scalar", f"Ours ×{vector.num_envs:,}")
    for row in rows:
        table.add_row(
            row.name,
            f"{row.num_envs:,}",
            f"{row.steps_per_second:,.0f}",
            *(
                f"{row.step_ns / ours.step_ns:,.2f} ×" if row in peers else ""
                for ours in (scalar, vector)
            ),
        )
    console.print(table)


def _print_scale(console: Console, rows: Sequence[ScaleRow]) -> None:
    for (grows, channel), group in groupby(rows, key=lambda row: (row.grows, row.channel)):
        console.print(f"\n[bold]{grows.capitalize()} grow[/bold], {channel} channel")
        one = "M" if grows == "servers" else "S"
        table = _table(
            "M", "S", "µs/step", f"ns/{one}", "ns/link", "reset ms", "MB", "touched", f"kB/{one}"
        )
        for row in group:
            table.add_row(
                f"{row.num_servers:,}",
                f"{row.num_subcarriers:,}",
                f"{row.step_us:,.1f}",
                f"{row.ns_each:,.0f}",
                f"{row.ns_per_link:,.1f}",
                f"{row.reset_ms:,.2f}",
                f"{row.reserved_mb:,.2f}",
                _or_blank(row.resident_mb, ",.1f"),
                _or_blank(row.resident_kb_each, ",.1f"),
            )
        console.print(table)
    console.print(
        "One environment of M servers and S subcarriers; a step draws M·S links. MB asked"
    )
    console.print("for, MB touched (what the process grew by), and the latter in kB over M or S.")


def _or_blank(value: float | None, style: str) -> str:
    return "" if value is None else format(value, style)


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    for column, heading in enumerate(headings):
        table.add_column(heading, justify="right" if column > 0 else "left", no_wrap=True)
    return table
