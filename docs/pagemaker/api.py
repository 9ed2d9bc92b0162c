"""The reference of the public names, module by module, for Sphinx's autodoc to fill."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

MODULES = (
    "mec_moe_env",
    "mec_moe_env.tasks",
    "mec_moe_env.testing",
    "mec_moe_env.theory",
    "mec_moe_env.worlds",
    "mec_moe_env.wrappers",
    "mec_moe_env.sb3",
    "mec_moe_env.multiagent",
    "mec_moe_env.multiobjective",
    "mec_moe_env.fronts",
    "mec_moe_env.moe",
    "mec_moe_agents",
    "mec_moe_agents.solvers",
    "mec_moe_agents.planning",
    "mec_moe_agents.wrappers",
    "mec_moe_agents.suite",
    "mec_moe_agents.testing",
)
"""What a user may import from."""


def module_page(name: str) -> str:
    """Return the page of a module: what it is for, a table of its names, and each in full."""
    names = public_names(name)
    summary = "\n".join(f"   {each}" for each in names)
    entries = "\n".join(line for each, kind in names.items() for line in _entry(each, kind))
    return f"""# {name}

```{{eval-rst}}
.. automodule:: {name}

.. currentmodule:: {name}

.. autosummary::
   :nosignatures:

{summary}

{entries}
```
"""


def public_names(name: str) -> Mapping[str, str]:
    """Return the public names of a module with autodoc's word for what each is."""
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    if spec.submodule_search_locations is None:
        return _defined(Path(spec.origin))
    module = import_module(name)
    exported = getattr(module, "__all__", None) or _imported(Path(spec.origin))
    return {each: _kind(module, each) for each in exported}


def _defined(path: Path) -> dict[str, str]:
    """Return what a file defines; it is not imported, as it may need an extra."""
    kinds: Mapping[type, str] = {ast.FunctionDef: "autofunction", ast.ClassDef: "autoclass"}
    return {
        node.name: kinds[type(node)]
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }


def _imported(path: Path) -> list[str]:
    """Return what a file imports `X as X`, the way in which a package exports."""
    return [
        alias.name
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    ]


def _kind(module: ModuleType, name: str) -> str:
    value = getattr(module, name)
    if inspect.isclass(value):
        return "autoclass"
    return "autofunction" if callable(value) else "autodata"


def _entry(name: str, kind: str) -> Iterator[str]:
    yield f".. {kind}:: {name}"
    if kind != "autofunction":
        yield "   :members:" if kind == "autoclass" else "   :no-value:"
    yield ""
