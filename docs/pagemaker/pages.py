"""Which pages are made, and into which files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mec_moe_agents.environments import ENVIRONMENTS

from pagemaker import animation
from pagemaker.agents import agents_page
from pagemaker.api import MODULES, module_page
from pagemaker.environments import environment_page
from pagemaker.equations import equations_page
from pagemaker.scenarios import scenarios_page


def pages() -> Mapping[str, str]:
    """Return the text of every made page by its file's name."""
    animations = {each.environment.name: each for each in animation.ANIMATIONS}
    environments = {
        f"{each.name}.md": environment_page(each, animations[each.name]) for each in ENVIRONMENTS
    }
    modules = {f"api/{name}.md": module_page(name) for name in MODULES}
    return {
        **environments,
        "scenarios.md": scenarios_page(),
        "agents.md": agents_page(),
        "equations.md": equations_page(),
        **modules,
    }


def write_pages(folder: Path) -> None:
    """Write all pages and animations below `folder`; what is as it was is not touched."""
    for name, text in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for each in animation.ANIMATIONS:
        animation.save(animation.record(each), folder / each.file, each.milliseconds)
