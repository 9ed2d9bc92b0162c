"""A report says what the run found, in every format, and refuses what is no whole run."""

import csv
import json
import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from mec_moe_agents import Episodes
from mec_moe_agents.report.content import Figure
from mec_moe_agents.report.drawings import embedded
from mec_moe_agents.report.flat import write_report_csv, write_report_json
from mec_moe_agents.report.headlines import study_section
from mec_moe_agents.report.html import as_html
from mec_moe_agents.report.latex import as_latex
from mec_moe_agents.report.markup import blocks, command, inline
from mec_moe_agents.report.reading import read_report
from mec_moe_agents.report.record import Record
from mec_moe_agents.report.setup import Setup, setups_of_rows
from mec_moe_agents.reproduce import as_json

from mec_moe_env import DMOE_PRESETS
from tests.report.runs import AGENTS, CALLED, leaderboard


def test_the_record_is_read_as_it_was_written(finished: Path, tmp_path: Path) -> None:
    record = Record.read(finished)
    assert record.given == CALLED.given
    assert record.reproduce == [CALLED.explicit]
    assert (record.first_seed, record.seeds, record.commit) == (0, 4, None)
    assert record.packages["numpy"]
    setup = record.setups[0]
    assert setup.preset == "default"
    assert setup.overrides == {"horizon": [200, 30], "doppler_hz": [1.0, "inf"]}
    assert setup.agents == list(AGENTS)
    assert setup.label == "default with doppler_hz=inf, horizon=30"
    record.write(tmp_path)
    assert Record.read(tmp_path) == record


def test_a_study_names_what_it_varies() -> None:
    paper = DMOE_PRESETS["paper"]
    configs = [paper.override(importance=value, doppler_hz=float("inf")) for value in (0.7, 0.8)]
    rows: list[dict[str, object]] = [{"config": as_json(config)} for config in configs * 2]
    (setup,) = setups_of_rows("energy", rows)
    assert (setup.environment, setup.preset) == ("mec_moe/DMoE-v0", "dmoe/paper")
    assert setup.varied == {"importance": [0.7, 0.8]}
    assert "importance" not in setup.config
    assert setup.overrides.keys() == {"doppler_hz"} - {
        name for name, value in paper.to_dict().items() if value == float("inf")
    }
    assert setups_of_rows("search", [{"solver": "des"}]) == []
    assert isinstance(setup, Setup)


def numbers_of(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return {(row["row"], row["column"]): row for row in csv.DictReader(stream)}


def test_csv_and_json_have_the_leaderboards_numbers(
    finished: Path, results: Mapping[str, Episodes], tmp_path: Path
) -> None:
    report, board = read_report(finished), leaderboard(results)
    write_report_csv(report, tmp_path / "report.csv")
    write_report_json(report, tmp_path / "report.json")
    flat = numbers_of(tmp_path / "report.csv")
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    (table,) = document["sections"][0]["tables"]
    rows = {row["Agent"]: row for row in table["rows"]}
    for line in board.lines:
        name = line.agent if line.contender else f"{line.agent} (reference)"
        delay = line.metrics["mean_delay_slots"]
        for column, expected in (("Return", line.mean_return), ("Delay slots", delay)):
            found = [float(flat[name, column][each]) for each in ("mean", "low", "high")]
            assert found == pytest.approx(tuple(expected), rel=1e-12)
            assert [rows[name][column][each] for each in ("mean", "low", "high")] == found
    assert float(flat["certified bound", "Return"]["mean"]) == -0.5
    assert rows["certified bound"]["Score"]["mean"] == 1.0
    assert document["run"]["code"] == "0123456789abcdef"


def test_the_latex_is_whole(finished: Path) -> None:
    text = as_latex(read_report(finished))
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    opened = re.findall(r"\\begin\{(\w+)\}", text)
    assert opened == ["table", "adjustbox", "tabular"]
    assert re.findall(r"\\end\{(\w+)\}", text) == opened[::-1]
    columns = re.search(r"\\begin\{tabular\}\{([lr]+)\}", text)
    assert columns is not None
    ends = [line for line in lines if line.endswith(r"\\")]
    assert len(ends) == 1 + 4 * 2  # headings; three agents and the bound, with intervals beneath
    assert {line.count(" & ") for line in ends} == {len(columns[1]) - 1}
    assert not any(line.lstrip().startswith("[") for line in lines)
    assert all(re.search(r"(?<!\\)[%#_]", line) is None for line in lines)
    assert "\n".join(lines).isascii()
    assert text.count("{") == text.count("}")
    assert r"\usepackage{booktabs}" in text


class Page(HTMLParser):
    """What a page says and refers to, the identifiers in it, and whether its elements nest."""

    VOID = ("meta", "path", "use", "image", "line", "rect")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.identifiers: list[str] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.words += "" if self.open and self.open[-1] in ("style", "script") else data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open += [] if tag == "meta" else [tag]
        for name, value in attrs:
            if name in ("src", "href", "xlink:href"):
                self.addresses.append(str(value))
            if name == "id":
                self.identifiers.append(str(value))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_one_file_that_nests(finished: Path) -> None:
    text = as_html(read_report(finished), finished / "report.html")
    page = Page(text)
    assert page.open == []
    assert len(set(page.identifiers)) == len(page.identifiers)
    local = [each for each in page.addresses if not each.startswith(("#", "https://arxiv.org"))]
    assert {"comparison.svg", "comparison.pdf", "rows.csv", "run.json"} <= set(local)
    assert all((finished / each).is_file() for each in local)
    own = {f"#{name}" for name in page.identifiers}
    assert {each for each in page.addresses if each.startswith("#")} <= own
    for words in (CALLED.given, CALLED.explicit, "0123456789abcdef", "horizon", "doppler_hz"):
        assert words in page.words


def test_links_lead_from_wherever_the_page_is(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere" / "page.html"
    out.parent.mkdir()
    page = Page(as_html(read_report(finished), out))
    (rows,) = (each for each in page.addresses if each.endswith("rows.csv"))
    assert (out.parent / rows).resolve() == (finished / "rows.csv").resolve()


def test_what_a_run_says_is_never_markup(run: Path) -> None:
    path = run / "run.json"
    document = json.loads(path.read_text())
    document["given"] = "<script>alert(1)</script>"
    document["setups"][0]["scenario"] = "<b>"
    path.write_text(json.dumps(document))
    text = as_html(read_report(run), run / "report.html")
    assert "<script>alert" not in text
    assert "<b>" not in text


def test_a_minus_is_one_but_in_code() -> None:
    said = "a - b = -3.5 [-4, +1] (-2 to 3-4), `x --by -1`"
    assert inline(said) == "a - b = −3.5 [−4, +1] (−2 to 3-4), <code>x --by -1</code>"


def test_a_command_is_broken_between_words_only() -> None:
    assert command("a --b '<c>'") == (
        '<pre class="command"><span>a</span> <span>--b</span> '
        "<span>&#x27;&lt;c&gt;&#x27;</span></pre>"
    )


def test_markdown_in_words() -> None:
    assert (
        inline("`a<b` is *so* and **so**")
        == "<code>a&lt;b</code> is <em>so</em> and <strong>so</strong>"
    )
    assert blocks("one\ntwo\n\n- a\n  b\n- c") == "<p>one two</p>\n<ul><li>a b</li><li>c</li></ul>"


def edit(name: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / name
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda run: (run / "run.json").unlink(), "holds no finished run: it has no run.json"),
        (lambda run: (run / "summary.json").unlink(), "summary.json"),
        (lambda run: (run / "comparison.svg").unlink(), "comparison.svg is missing"),
        (lambda run: (run / "comparison.pdf").unlink(), "comparison.pdf is missing"),
        (edit("run.json", lambda text: text[:100]), "run.json: not a whole JSON file"),
        (edit("run.json", lambda text: "[]"), "run.json: expected format 1, found None"),
        (edit("run.json", lambda text: text.replace('"given"', '"gone"')), "run.json: not the"),
        (edit("summary.json", lambda text: "{}"), "summary.json: not the summary of a run"),
        (edit("summary.json", lambda text: text.replace('"agents"', '"x"')), "not the summary"),
        (edit("summary.json", lambda text: text.replace("0123456789abcdef", "0")), "of two runs"),
        (edit("comparison.svg", lambda text: text[:-20]), "comparison.svg: not a whole SVG file"),
        (
            edit("comparison.svg", lambda text: text.replace("</svg>", "<script/></svg>")),
            "comparison.svg: expected a drawing",
        ),
    ],
)
def test_what_is_no_whole_run_is_refused(
    run: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(run)
    with pytest.raises((ValueError, OSError), match=re.escape(message)) as caught:
        as_html(read_report(run), run / "report.html")
    assert "\n" not in str(caught.value)


def test_what_no_interval_decides_is_called_undecided() -> None:
    def line(label: str, target: str, holds: bool | None) -> dict[str, Any]:
        estimate = [-0.5, -1.0, 0.25]
        return {
            "label": label,
            "estimate": estimate,
            "target": target,
            "holds": holds,
            "decimals": 1,
        }

    lines = [line("a", ">= -5", True), line("b", "> 0", None), line("c", "", None)]
    study = {"study": "s", "question": "Does it?", "headlines": lines}
    section = study_section(study, {"s": Figure("", Path("s.svg"))})
    assert section.verdict == "Does it? 1 of 1 targets hold, 1 are undecided."
    cells = [[cell.text for cell in row.cells[2:]] for row in section.tables[0].rows]
    assert cells == [[">= \u22125", "yes"], ["> 0", "undecided"], ["", ""]]


def test_a_drawing_keeps_its_shape(finished: Path) -> None:
    text = embedded(finished / "comparison.svg", 'a "label"')
    root = ElementTree.fromstring(text.replace("<svg ", '<svg xmlns:xlink="x" ', 1))
    assert root.attrib["aria-label"] == 'a "label"'
    assert "width" not in root.attrib
    assert {each.attrib["id"][:11] for each in root.iter() if "id" in each.attrib} == {
        "comparison-"
    }
