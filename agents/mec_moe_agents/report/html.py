"""A report as one HTML file that asks for nothing: styles, script and drawings are in it."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from mec_moe_agents.report.content import Figure, Report, Section
from mec_moe_agents.report.drawings import embedded
from mec_moe_agents.report.html_tables import facts_html, pairs_html, table_html
from mec_moe_agents.report.markup import blocks, command, inline, plain
from mec_moe_agents.report.setup import Setup

HERE = Path(__file__).parent
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
"""What a browser may load: nothing. It refuses requests even if something in the page asks."""


def as_html(report: Report, out: Path) -> str:
    """Write the page; links to the files of the run are relative to where `out` will be.

    Raises:
        ValueError: a drawing is damaged.
    """
    sections = [_section(section, place, out) for place, section in enumerate(report.sections)]
    explanation = (
        f'<h2 id="explanation">How to read it</h2><div class="explanation">'
        f"{blocks(report.explanation)}</div>"
        if report.explanation
        else ""
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{plain(report.title)}</title>
<style>
{_file("page.css")}</style>
</head>
<body>
<main>
<h1>{plain(report.title)}</h1>
{_summary(report)}
{_contents(report)}
{"".join(sections)}
{_what_was_run(report, out)}
{explanation}
</main>
<script>
{_file("page.js")}</script>
</body>
</html>
"""


def _file(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _summary(report: Report) -> str:
    record = report.record
    facts = {
        "Command": command(record.given),
        "Seeds": plain(seeds_in_words(report)),
        "Started": f"{plain(_moment(record.started))}, took {record.seconds:,.1f} s",
        "Code": f"mec-moe-env {plain(record.version)}, code <code>{plain(record.code)}</code>",
    }
    return facts_html(facts)


def _moment(text: str) -> str:
    """Write a moment in UTC for people."""
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"


def seeds_in_words(report: Report) -> str:
    """Say how many seeds there are, and which."""
    first, count = report.record.first_seed, report.record.seeds
    return f"{count}, from {first} to {first + count - 1}" if count > 1 else f"1, seed {first}"


def _contents(report: Report) -> str:
    if len(report.sections) < 2:
        return ""
    links = [
        f'<a href="#section-{place}">{plain(section.title)}</a>'
        for place, section in enumerate(report.sections)
    ]
    links += ['<a href="#run">What was run</a>']
    links += ['<a href="#explanation">How to read it</a>'] if report.explanation else []
    return f'<nav aria-label="Contents">{"".join(links)}</nav>'


def _section(section: Section, place: int, out: Path) -> str:
    verdict = f'<p class="verdict">{inline(section.verdict)}</p>' if section.verdict else ""
    sentences = "".join(f"<p>{inline(sentence)}</p>" for sentence in section.sentences)
    tables, figures = map(table_html, section.tables), (_figure(f, out) for f in section.figures)
    return (
        f'<section><h2 id="section-{place}">{plain(section.title)}</h2>{verdict}{sentences}'
        f"{''.join(tables)}{''.join(figures)}</section>\n"
    )


def _figure(figure: Figure, out: Path) -> str:
    files = " · ".join(
        _link(path, path.suffix[1:].upper(), out)
        for path in (figure.svg.with_suffix(".png"), figure.svg, figure.pdf)
    )
    return (
        '<figure><div class="scroll drawing" tabindex="0">'
        f"{embedded(figure.svg, figure.caption)}</div>"
        f"<figcaption>{plain(figure.caption)} As {files}.</figcaption></figure>"
    )


def _link(path: Path, text: str, out: Path) -> str:
    address = quote(os.path.relpath(path, out.parent).replace(os.sep, "/"))
    return f'<a href="{plain(address)}">{plain(text)}</a>'


def _what_was_run(report: Report, out: Path) -> str:
    record = report.record
    commands = "".join(map(command, record.reproduce))
    versions = pairs_html(
        ("package", "version"), [("python", record.python), *record.packages.items()]
    )
    files = ", ".join(
        _link(report.folder / name, name, out)
        for name in (*record.rows, record.summary, "run.json")
    )
    facts = {
        "To reproduce it": commands,
        "Seeds": plain(seeds_in_words(report)),
        "Version": f"mec-moe-env {plain(record.version)}",
        "Commit": f"<code>{plain(record.commit or 'none: not a checkout')}</code>",
        "Code hash": f"<code>{plain(record.code)}</code>",
        "Machine": plain(record.machine),
        "Raw rows and figures": files,
    }
    setups = "".join(_setup(setup, alone=len(record.setups) == 1) for setup in record.setups)
    return (
        f'<section><h2 id="run">What was run</h2>{facts_html(facts)}{setups}'
        f"<details><summary>Versions of packages</summary>{versions}</details></section>"
    )


def _setup(setup: Setup, *, alone: bool) -> str:
    changed = [(name, *values) for name, values in setup.overrides.items()]
    varied = [(name, values) for name, values in setup.varied.items()]
    origin = "as the preset" if not changed else f"{len(changed)} fields differ from the preset"
    facts = {
        "Environment": f"<code>{plain(setup.environment)}</code>",
        "Configuration": f"{origin} <code>{plain(setup.preset)}</code>",
    }
    if setup.data:
        digests = (f"{name} {text}" for name, text in setup.data.items())
        facts["Data, SHA-256"] = plain(", ".join(digests))
    if setup.agents:
        facts["Agents"] = plain(", ".join(setup.agents))
    parts = [facts_html(facts)]
    if changed:
        parts.append(pairs_html(("field that differs", "preset", "here"), changed))
    if varied:
        parts.append(pairs_html(("field that is varied", "values"), varied))
    whole = pairs_html(("field", "value"), list(setup.config.items()))
    parts.append(f"<details><summary>Whole configuration</summary>{whole}</details>")
    if alone:
        return f"<h3>{plain(setup.scenario)}</h3>{''.join(parts)}"
    return f"<details><summary>{plain(setup.scenario)}</summary>{''.join(parts)}</details>"
