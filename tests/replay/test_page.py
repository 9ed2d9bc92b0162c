"""The page: whole, small, valid, and nothing in it comes from data unescaped."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from mec_moe_agents.evaluation.bounds import UNKNOWN, Bounds
from mec_moe_agents.evaluation.scenarios import Scenario
from mec_moe_agents.replay.columns import decode
from mec_moe_agents.replay.page import SCRIPTS, embed_json, render_page
from mec_moe_agents.replay.recording import Recording, record
from mec_moe_agents.replay.types import type_documents

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS
from mec_moe_env.config import Config

TOY = OFFLOADING_PRESETS["toy"]
VOID = {"meta", "link", "input", "br"}
HOSTILE = "<img src=x onerror=alert(1)>&\"'</script>"


class Reader(HTMLParser):
    """Reads a page as strictly as its author should have written it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.labelled: set[str | None] = set()
        self.data: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        assert len(values) == len(attrs), f"an attribute twice in <{tag}>"
        if "id" in values:
            self.ids.append(str(values["id"]))
        if tag == "label":
            self.labelled.add(values.get("for"))
        if tag == "button":
            assert values.get("type") == "button"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.data[self.open[-1]] = self.data.get(self.open[-1], "") + data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


def record_of(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="record">(.*?)</script>', page, re.S)
    assert found is not None
    return json.loads(found[1])


def render(config: Config, *agents: str, bound: Bounds = UNKNOWN, name: str = "toy") -> str:
    recording = record(config, agents, 0)
    return render_page(recording, Scenario(name, config, agents), bound, f"mec-moe replay {name}")


@pytest.mark.parametrize(
    "page",
    [
        lambda: render(TOY, "nearest", "random"),
        lambda: render(DMOE_PRESETS["toy"], "topk", "jesa", name="dmoe/toy"),
    ],
    ids=["offloading", "dmoe"],
)
def test_a_page_is_whole_and_asks_for_nothing(page: Any) -> None:
    text = page()
    reader = read(text)
    assert text.startswith('<!doctype html>\n<html lang="en">')
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert {"speed", "step"} <= reader.labelled
    assert "{{" not in text
    assert re.findall(r"https?:|//\w+\.|url\(|@import|fetch\(|XMLHttp", text) == []
    assert "default-src 'none'" in text


def test_what_data_say_is_text() -> None:
    text = render(TOY, "nearest", name=HOSTILE)
    assert HOSTILE not in text
    assert "<img" not in text
    assert read(text).data["h1"] == f"nearest on {HOSTILE}"
    bound = Bounds(None, HOSTILE)
    assert record_of(render(TOY, "nearest", bound=bound))["no_bound"] == HOSTILE


def test_no_text_can_end_a_script() -> None:
    written = embed_json({"text": HOSTILE})
    assert not set("<>&") & set(written)
    assert json.loads(written) == {"text": HOSTILE}
    with pytest.raises(ValueError, match="not JSON compliant"):
        embed_json({"number": float("nan")})


def test_the_page_holds_the_recording() -> None:
    recording = record(TOY, ["nearest", "random"], 0)
    scenario = Scenario("toy", TOY, recording.agents)
    document = record_of(render_page(recording, scenario, Bounds(np.array([-3.5]), "shipped"), ""))
    for kept, run in zip(document["runs"], recording.runs, strict=True):
        columns = document["world"] | kept["columns"]
        assert columns.keys() == run.keys()
        for name in run:
            np.testing.assert_allclose(decode(columns[name]), run[name], rtol=1e-6)
    assert document["bound"] == {"value": -3.5, "source": "shipped"}
    assert document["differs"] == recording.differs
    assert [kept["name"] for kept in document["runs"]] == ["nearest", "random"]


def test_an_agent_beside_itself_has_a_number() -> None:
    document = record_of(render(TOY, "random", "random"))
    assert [run["name"] for run in document["runs"]] == ["random (1)", "random (2)"]
    assert all(not run["columns"] for run in document["runs"])


def test_what_was_set_stands_in_the_title() -> None:
    text = render(TOY.override(delay_weight=2.0), "nearest")
    assert read(text).data["h1"] == "nearest on toy with delay_weight=2.0"


def test_why_there_is_no_bound_is_said() -> None:
    document = record_of(render(TOY, "nearest"))
    assert document["bound"] is None
    assert document["no_bound"] == UNKNOWN.source


def test_an_episode_of_digits_takes_less_than_700_kb() -> None:
    config = OFFLOADING_PRESETS["digits"]
    pytest.importorskip("sklearn")
    recording: Recording = record(config, ["guard", "gating"], 7)
    page = render_page(recording, Scenario("digits", config, recording.agents), UNKNOWN, "")
    assert len(page.encode()) < 500_000


def test_every_script_is_read_by_some_page() -> None:
    from mec_moe_agents.replay.page import ASSETS, scripts_of

    there = {path.name for path in ASSETS.iterdir() if path.name.endswith(".js")}
    read_by = {f"{script}.js" for environment in SCRIPTS for script in scripts_of(environment)}
    assert there == read_by


def test_types_are_named() -> None:
    digits = type_documents(OFFLOADING_PRESETS["digits"].override(num_types=6))
    assert [each["name"] for each in digits] == [
        *("digits 0/1", "digits 2/3", "digits 4/5", "digits 6/7", "digits 8/9"),
        "digits 0/1, transform 1",
    ]
    assert [each["letter"] for each in digits] == list("ABCDEF")
    assert len({each["color"] for each in digits}) == 6
    assert type_documents(TOY)[1]["name"] == "type 1"
    many = type_documents(TOY.override(tasks="synthetic", feature_dim=80, num_types=60))
    assert many[51]["letter"] == "z"
    assert many[52]["letter"] == "A1"
