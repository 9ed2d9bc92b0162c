"""`mec-moe bench`: how fast the environments are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mec_moe_agents.cli.options import reported

if TYPE_CHECKING:
    from mec_moe_agents.bench.case import Case
    from mec_moe_agents.bench.result import BenchResult

QUICK_PRESETS = ("default", "paper-synthetic", "paper")
QUICK_SECONDS = 0.1
QUICK_SIZE = 1024


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
        from mec_moe_agents.bench.case import find_cases

        names = _split(preset) or (QUICK_PRESETS if quick else ())
        cases, counts = find_cases(names), _threads(threads)
        if json is not None and not json.absolute().parent.is_dir():
            raise FileNotFoundError(f"--json {json}: there is no folder {json.absolute().parent}")
        result = _measure(cases, counts, QUICK_SECONDS if quick else seconds, quick)
        _measure_more(result, peers, scale, quick)
        _present(result, json)


def _measure(
    cases: Sequence[Case], threads: Sequence[int], seconds: float, quick: bool
) -> BenchResult:
    from mec_moe_agents.bench.result import BenchResult
    from mec_moe_agents.bench.rows import SIZES, measure_case

    sizes = [size for size in SIZES if not quick or size <= QUICK_SIZE]
    result = BenchResult(seconds)
    for number, case in enumerate(cases, start=1):
        typer.echo(f"[{number}/{len(cases)}] {case.name}", err=True)
        result.rows += measure_case(case, sizes, threads, seconds)
    return result


def _measure_more(result: BenchResult, peers: bool, scale: bool, quick: bool) -> None:
    if peers:
        from mec_moe_agents.bench.peers import measure_peers

        typer.echo("peers", err=True)
        result.peers += measure_peers(result.seconds)
    if scale:
        from mec_moe_agents.bench.scale import SIZES, measure_scale

        typer.echo("scale", err=True)
        sizes = [size for size in SIZES if not quick or size <= QUICK_SIZE]
        result.scale += measure_scale(result.seconds, sizes)


def _present(result: BenchResult, path: Path | None) -> None:
    from rich.console import Console

    from mec_moe_agents.bench.result import write_json
    from mec_moe_agents.bench.tables import print_result

    print_result(Console(highlight=False), result)
    if path is not None:
        write_json(result, path)
        print(f"results  {path}")


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _threads(text: str) -> list[int]:
    counts = _split(text)
    if not counts or not all(count.isdecimal() and int(count) > 0 for count in counts):
        raise ValueError(f"--threads {text!r}: expected whole numbers ≥ 1 with commas between them")
    return [int(count) for count in counts]
