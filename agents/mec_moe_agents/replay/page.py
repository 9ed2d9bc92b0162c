"""A recording as one HTML file: own script and style, data within, no request to anywhere."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from mec_moe_agents.environments import environment_of
from mec_moe_agents.evaluation.bounds import Bounds
from mec_moe_agents.evaluation.looks import looks_of
from mec_moe_agents.evaluation.scenarios import Scenario
from mec_moe_agents.registry import find_agent
from mec_moe_agents.replay.columns import encode
from mec_moe_agents.replay.recording import Columns, Recording
from mec_moe_agents.replay.types import type_documents
from mec_moe_env import DMoEConfig, OffloadingConfig, __version__

ASSETS = files(__package__).joinpath("assets")
SCRIPTS: Mapping[str, Sequence[str]] = {
    "offloading": ("strip", "map", "offloading_words", "offloading"),
    "dmoe": ("dmoe_grid", "dmoe"),
}
"""What only one environment needs, by `Environment.name`; scripts in the order they are read."""
PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
UNITS = {"offloading": "slot", "dmoe": "layer"}


def render_page(recording: Recording, scenario: Scenario, bound: Bounds, command: str) -> str:
    """Return the page of a recording.

    Args:
        recording: of one agent or two.
        scenario: names the configuration that was recorded.
        bound: the certified bound on the return of the recording's seed, or why there is none.
        command: the command line that makes the page again.
    """
    name = environment_of(recording.config).name
    unit = UNITS[name]
    agents = " and ".join(_names(recording.agents))
    values = {
        "title": html.escape(f"{agents} on {scenario.label}"),
        "subtitle": html.escape(f"{scenario.size}; seed {recording.seed}"),
        "about": _about(command, len(recording.agents)),
        "unit": unit,
        "Unit": unit.capitalize(),
        "style": _asset("replay.css"),
        "script": "\n".join(_asset(f"{script}.js") for script in scripts_of(name)),
        "record": embed_json(_document(recording, bound, unit)),
    }
    return PLACEHOLDER.sub(lambda match: values[match[1]], _asset("replay.html"))


def embed_json(document: Any) -> str:
    """Return a document as JSON that nothing in a script element can end or change."""
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def scripts_of(name: str) -> Sequence[str]:
    """Return the scripts of an environment's page, in the order they are read."""
    return ("columns", "words", "drawing", "chart", "channel", "player", *SCRIPTS[name], "main")


def _asset(name: str) -> str:
    return ASSETS.joinpath(name).read_text(encoding="utf-8").rstrip("\n")


def _about(command: str, agents: int) -> str:
    made = f"Recorded with mec-moe-env {__version__} by <code>{html.escape(command)}</code>."
    same = " Both met the same tasks and the same channel." if agents > 1 else ""
    return f"<p>{made}{same}</p>"


def _names(agents: Sequence[str]) -> list[str]:
    """Return what the runs are called: an agent beside itself gets a number."""
    if len(set(agents)) == len(agents):
        return list(agents)
    return [f"{agent} ({place})" for place, agent in enumerate(agents, start=1)]


def _document(recording: Recording, bound: Bounds, unit: str) -> dict[str, Any]:
    config = recording.config
    assert isinstance(config, OffloadingConfig | DMoEConfig)
    names, looks = _names(recording.agents), looks_of(recording.agents)
    runs = zip(names, recording.agents, recording.own, strict=True)
    return {
        "environment": environment_of(config).name,
        "unit": unit,
        "steps": config.steps,
        "sizes": dict(config.sizes) | {"D": config.max_experts},
        "cap": float(config.max_spectral_efficiency),
        **_bound(bound),
        **_of_environment(config, recording),
        "differs": recording.differs,
        "world": _encoded(recording.shared),
        "runs": [
            {
                "name": name,
                "color": looks[agent].color,
                "description": find_agent(agent, config).description,
                "columns": _encoded(columns),
            }
            for name, agent, columns in runs
        ],
    }


def _bound(bound: Bounds) -> dict[str, Any]:
    """Return the bound and where it comes from, or why there is none."""
    if bound.values is None:
        return {"bound": None, "no_bound": bound.source}
    return {"bound": {"value": float(bound.values[0]), "source": bound.source}, "no_bound": ""}


def _of_environment(config: OffloadingConfig | DMoEConfig, recording: Recording) -> dict[str, Any]:
    """Return from which number steps are counted, how many are played a second, and the world."""
    if isinstance(config, DMoEConfig):
        return {"first": 1, "speed": 1}
    return {
        "first": 0,
        "speed": 10,
        "area": config.area_m if config.positions is None else _side(recording, config.area_m),
        "max_delay": config.max_delay,
        "types": type_documents(config),
    }


def _side(recording: Recording, area_m: float) -> float:
    """Return the side of the square of positions that are given, metres."""
    return float(recording.shared["position"].max()) or area_m


def _encoded(columns: Columns) -> dict[str, Any]:
    return {name: encode(column) for name, column in columns.items()}
