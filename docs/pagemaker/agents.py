"""The page of the agents, from the catalogue."""

from __future__ import annotations

from mec_moe_agents.agent import CatalogueEntry
from mec_moe_agents.environments import ENVIRONMENTS, Environment
from mec_moe_agents.evaluation.rollout import TRAITS
from mec_moe_agents.registry import CATALOGUES

from pagemaker.markdown import code, table

INTRODUCTION = """# Agents

An agent is whatever has Stable-Baselines3's `predict`; a trained model is one. These come with the
package, by name: `make_agent(name, env)` builds one, `mec-moe agents` lists them. A *reference*
knows what no scheduler can, or solves the return itself: it shows what can be reached and never
competes. An agent is left out of a preset where it would be another one under a second name, where
it is too slow, or where it has no weights.

"""


def agents_page() -> str:
    """Return the page."""
    return INTRODUCTION + "\n".join(map(_section, ENVIRONMENTS))


def _section(environment: Environment) -> str:
    entries = CATALOGUES[environment.name]
    rows = [
        [
            code(name),
            entry.description,
            "contender" if entry.contender else "reference",
            presets_of(environment, entry),
        ]
        for name, entry in entries.items()
    ]
    heading = f"## {TRAITS[environment.name].title}\n\n"
    return heading + table(["agent", "what it does", "kind", "presets"], rows)


def presets_of(environment: Environment, entry: CatalogueEntry) -> str:
    """Write where an agent takes part; the shorter of the list and what it leaves out."""
    served = {name: entry.serves(config) for name, config in environment.presets.items()}
    inside = [code(name) for name in served if served[name]]
    outside = [code(name) for name in served if not served[name]]
    if not outside:
        return "all"
    if len(outside) < len(inside):
        return f"all but {', '.join(outside)}"
    return ", ".join(inside)
