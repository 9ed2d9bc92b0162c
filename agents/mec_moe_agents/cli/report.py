"""`mec-moe report`: a finished run as a page, as LaTeX, as CSV, as JSON."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import mec_moe_agents.cli.options as options


class Format(StrEnum):
    """What a report is written as."""

    HTML = "html"
    LATEX = "latex"
    CSV = "csv"
    JSON = "json"


ENDINGS = {Format.HTML: "html", Format.LATEX: "tex", Format.CSV: "csv", Format.JSON: "json"}


def report(
    run: Annotated[
        Path,
        typer.Argument(
            help="Folder of a finished compare, evaluate, rank, train or reproduce.",
            parser=options.given_path,
        ),
    ],
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.HTML,
    out: Annotated[
        Path | None,
        options.path_option("File to write; RUN/report.html (.tex, .csv, .json) unless given."),
    ] = None,
) -> None:
    """Write the report of a run: what was run, tables, pictures.

    html is one file that opens without a network: tables sort by click and keyboard. latex has
    the tables for a paper (booktabs); csv has a line per number, json everything.
    The pictures lie as PDF and SVG in the folder of every run.
    """
    with options.reported():
        from mec_moe_agents.report.flat import write_report_csv, write_report_json
        from mec_moe_agents.report.html import as_html
        from mec_moe_agents.report.latex import as_latex
        from mec_moe_agents.report.reading import read_report
        from mec_moe_env.files import write_text

        content = read_report(run)
        path = out or run / f"report.{ENDINGS[form]}"
        options.check_writable(path.parent)
        match form:
            case Format.HTML:
                write_text(path, as_html(content, path))
            case Format.LATEX:
                write_text(path, as_latex(content))
            case Format.CSV:
                write_report_csv(content, path)
            case Format.JSON:
                write_report_json(content, path)
        options.print_places({"report": path})
