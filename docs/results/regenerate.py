"""Make the tables and figures of README and docs anew, or see whether they still come out so.

    python docs/results/regenerate.py            all of results.toml; hours of one core
    python docs/results/regenerate.py digits     one of them
    python docs/results/regenerate.py --quick    those of about a minute
    python docs/results/regenerate.py --check    write nothing; compare rows with those kept here

NAME.csv (NAME.csv.gz where they are many) keeps the rows of a result, NAME.json the command, the
code it ran with, and the rows' checksum. Rows, not pixels, are compared: to 1e-6, as the last bits
depend on the processor.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import json
import math
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from mec_moe_agents.evaluation.provenance import current_provenance

from mec_moe_env.files import write_json, write_text

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ORIGIN = frozenset({"version", "commit", "code"})
CLOSE = 1e-6
DIGITS = 9
"""Significant digits that are kept of a number."""

Row = dict[str, str]


@dataclass(frozen=True)
class Result:
    """An entry of results.toml, whose comments say what the fields are."""

    name: str
    command: str
    pages: list[str]
    rows: str = ""
    columns: list[str] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    shown: str = ""
    suite: bool = False
    packed: bool = False
    quick: bool = False

    @property
    def command_on_pages(self) -> str:
        """The command as the pages have it."""
        return self.shown or self.command.replace(" --out {out}", "")

    @property
    def kept(self) -> Path:
        """Where the rows are kept."""
        return HERE / f"{self.name}.csv{'.gz' if self.packed else ''}"

    @property
    def record(self) -> Path:
        """Where command, code and checksum are kept."""
        return HERE / f"{self.name}.json"

    def run(self, out: Path) -> list[Row]:
        """Run the command from the repository's root and return the rows that it wrote."""
        words = shlex.split(self.command.format(out=shlex.quote(str(out))))
        programs = {"python": [sys.executable], "mec-moe": [sys.executable, "-m", "mec_moe_agents"]}
        said = None if self.rows else subprocess.PIPE
        found = subprocess.run(
            [*programs[words[0]], *words[1:]], cwd=ROOT, check=True, stdout=said, encoding="utf-8"
        )
        if self.rows:
            return read_rows(out / self.rows, self.columns)
        return rows_of_table(found.stdout)


def results() -> dict[str, Result]:
    """Return the entries of results.toml by name."""
    document = tomllib.loads((HERE / "results.toml").read_text(encoding="utf-8"))
    return {name: Result(name, **entry) for name, entry in document.items()}


def read_rows(path: Path, columns: list[str] | None = None) -> list[Row]:
    """Return the rows of a CSV file with these columns, or all that are neither origin nor time."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        named = reader.fieldnames or ()
        wanted = columns or [n for n in named if n not in ORIGIN and not n.endswith("seconds")]
        return [{name: shorten(row[name]) for name in wanted} for row in reader]


def rows_of_table(markdown: str) -> list[Row]:
    """Return the rows of a table of Markdown as they stand there."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    heads, _, *body = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    # One name may stand over two columns.
    names = [f"{name} {n}" if name in heads[:n] else name for n, name in enumerate(heads)]
    return [dict(zip(names, cells, strict=True)) for cells in body]


def shorten(text: str) -> str:
    """Return a number with the digits that are kept, and what is none as it is."""
    try:
        return f"{float(text):.{DIGITS}g}"
    except ValueError:
        return text


def as_csv(rows: list[Row]) -> str:
    """Return rows as the text of a CSV file."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def keep(path: Path, rows: list[Row]) -> None:
    """Write rows to a file of comma-separated values, packed if its name ends in .gz."""
    text = as_csv(rows)
    if path.suffix == ".gz":
        # No time in it: equal rows are equal files.
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
    else:
        write_text(path, text)


def checksum(rows: list[Row]) -> str:
    """Return the SHA-256 of rows, whatever their order."""
    head, *lines = as_csv(rows).splitlines()
    return hashlib.sha256("\n".join([head, *sorted(lines)]).encode()).hexdigest()


def differences(kept: list[Row], found: list[Row]) -> list[str]:
    """Say where rows differ by more than processors do."""
    if len(kept) != len(found):
        return [f"{len(kept)} rows are kept, {len(found)} came out"]
    return [
        f"row {number}, {name}: {before[name]} is kept, {now.get(name)} came out"
        for number, (before, now) in enumerate(zip(kept, found, strict=True), 1)
        for name in before
        if not agree(before[name], now.get(name, ""))
    ]


def agree(before: str, now: str) -> bool:
    """Tell whether two entries are the same text, or close numbers."""
    if before == now:
        return True
    try:
        return math.isclose(float(before), float(now), rel_tol=CLOSE, abs_tol=CLOSE)
    except ValueError:
        return False


def make(result: Result) -> None:
    """Run a result and keep what it gave."""
    out = ROOT / "runs" / "results" / result.name
    provenance = current_provenance()
    rows = result.run(out)
    if not result.suite:
        keep(result.kept, rows)
    for picture, page in result.pictures.items():
        shutil.copyfile(out / picture, ROOT / page)
    record = {
        "command": result.command.format(out=f"runs/results/{result.name}"),
        "version": provenance.version,
        "code": provenance.fingerprint,
        "rows": len(rows),
        "checksum": checksum(rows),
    }
    write_json(result.record, record, indent=1)


def check(result: Result) -> list[str]:
    """Run a result and say where its rows differ from those that are kept."""
    kept = read_rows(result.kept)
    if json.loads(result.record.read_text(encoding="utf-8"))["checksum"] != checksum(kept):
        return [f"{result.kept.name} is not what {result.record.name} says"]
    with tempfile.TemporaryDirectory() as folder:
        return differences(kept, result.run(Path(folder)))


def main() -> int:
    """Run what was asked for; 1 if something comes out otherwise."""
    known = results()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--quick", action="store_true", help="only those of about a minute")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    options = parser.parse_args()
    if unknown := set(options.names) - known.keys():
        parser.error(f"no such result: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    chosen = [known[name] for name in options.names or known]
    failed = False
    for result in (each for each in chosen if each.quick or not options.quick):
        print(f"{result.name}: {result.command}", flush=True)
        if options.check and not result.suite:
            found = check(result)
            print(*found[:10] or ["the same rows"], sep="\n", flush=True)
            failed |= bool(found)
        elif not options.check:
            make(result)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
