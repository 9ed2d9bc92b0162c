"""The card of a dataset: what it is, how good what acts in it is, how to read and remake it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from mec_moe_agents.environments import environment_of
from mec_moe_agents.evaluation.columns import COLUMNS, Column, return_column
from mec_moe_agents.evaluation.naming import scenario_name
from mec_moe_agents.evaluation.overrides import setting_text
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean
from mec_moe_agents.offline.collect import LOWEST, Collection

SCORE = Column("Score", 3)


def card(collection: Collection, episodes: Episodes, described: Mapping[str, Any]) -> str:
    """Write the card in Markdown; equal datasets have equal cards.

    Args:
        collection: what was collected.
        episodes: what is kept of them.
        described: as `Collection.describe` does.
    """
    first, last = collection.seeds[0], collection.seeds[-1]
    steps = len(collection.seeds) * collection.config.steps
    parts = [
        f"# {collection.id}",
        f"{len(collection.seeds)} episodes, {steps} steps of the agent `{collection.agent}` in "
        f"`{described['environment']}`, scenario {collection.scenario}. Seeds {first} to {last}, "
        "which no evaluation takes and no choice of checkpoints does: those are below 2³¹ and 2³².",
        "## How good it is",
        _results(collection, episodes),
        _scale(collection, episodes),
        "## How to read it",
        _reading(collection),
        "Observations have one row more than actions, rewards and flags: the last is what follows "
        "the last step. `infos` have as many rows as observations; in row t `action_mask` is the "
        "mask of the action t, and everything else is of the step before it. Seeds are those of "
        "`env.reset(seed=…)`, one an episode; the agent's own random numbers come from the same.",
        "## How to make it again",
        f"```\n{_command(collection)}\n```",
        "The same files, byte for byte, from "
        f"{_code(described)}, Python {described['python']} and "
        + ", ".join(f"{name} {number}" for name, number in described["packages"].items())
        + ", on a machine whose floating-point sums are equal.",
        "## All fields of the scenario",
        f"```json\n{json.dumps(described['config'], indent=1)}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _results(collection: Collection, episodes: Episodes) -> str:
    found = {name: estimate_mean(each) for name, each in episodes.metrics.items()}
    columns = {"return": return_column(max(abs(found["return"].mean), 1e-9)), **COLUMNS}
    lines = ["| measure | mean | 95 % interval |", "|---|---|---|"]
    for name, column in columns.items():
        if name in found:
            lines.append(
                f"| {column.heading} | {column.number(found[name].mean)} | "
                f"{column.interval(found[name])} |"
            )
    return "\n".join(lines)


def _scale(collection: Collection, episodes: Episodes) -> str:
    scores, mean = collection.scores, float(episodes.metrics["return"].mean())
    column = return_column(max(abs(scores.low.mean), abs(scores.high.mean)))

    def told(name: str, estimate: Estimate) -> str:
        return f"`{name}` {column.text(estimate)}"

    return (
        f"Score {SCORE.number(scores.score(mean))}, where 0 is {told(LOWEST, scores.low)} and 1 "
        f"the best contender of the catalogue, {told(scores.best, scores.high)}, both on "
        f"{scores.episodes} seeds from 2³¹ on."
    )


def _reading(collection: Collection) -> str:
    return (
        "```python\nimport minari\n\n"
        'dataset = minari.MinariDataset("data")  # the folder beside this card\n'
        "env = dataset.recover_environment()\n"
        "for episode in dataset:\n"
        "    print(episode.rewards.sum(), episode.actions.shape)\n```"
    )


def _command(collection: Collection) -> str:
    (_, preset), *changed = collection.keywords.items()
    name = scenario_name(environment_of(collection.config).name, preset)
    words = ["mec-moe", "collect", "--scenario", name]
    for field, value in changed:
        words += ["--set", f"{field}={setting_text(value)}"]
    words += ["--agents", collection.agent, "--seeds", str(len(collection.seeds))]
    words += ["--first-seed", str(collection.seeds[0])]
    words += ["--references", str(collection.scores.episodes)]
    return shlex.join(words)


def _code(described: Mapping[str, Any]) -> str:
    commit = f", commit {described['commit']}" if described["commit"] else ""
    return f"mec-moe-env {described['version']} (code {described['code']}{commit})"
