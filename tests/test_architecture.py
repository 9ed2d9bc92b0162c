"""The house as it is meant to stand: who may import whom, and where numba's insides may be used."""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import mec_moe_agents
import pytest

import mec_moe_env

PACKAGES = [Path(package.__path__[0]) for package in (mec_moe_env, mec_moe_agents)]
INTERNALS = ("numba.core", "llvmlite", "_numba_type_", "overloads", "_cache_file", "pipeline_class")
"""What numba does not document, or documents as unstable."""
INSIDES = ("numba.", "llvmlite")


def sources(package: Path) -> dict[str, Path]:
    """Return the modules of a package by their dotted names."""
    modules = {}
    for path in package.rglob("*.py"):
        parts = path.relative_to(package.parent).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


def imported_at_once(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield what runs when a module is imported: not what functions or type checkers import."""
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement
        elif isinstance(statement, ast.Try) or (
            isinstance(statement, ast.If) and "TYPE_CHECKING" not in ast.unparse(statement.test)
        ):
            yield from imported_at_once(statement.body)


def _runs(statement: ast.stmt) -> TypeGuard[ast.If]:
    return isinstance(statement, ast.If) and "TYPE_CHECKING" not in ast.unparse(statement.test)


def names_in(statement: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    module = statement.module or ""
    return [module, *(f"{module}.{alias.name}" for alias in statement.names)]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_no_import_circle(package: Path) -> None:
    modules = sources(package)
    graph = {}
    for module, path in modules.items():
        statements = imported_at_once(ast.parse(path.read_text()).body)
        wanted = {name for statement in statements for name in names_in(statement)}
        graph[module] = (wanted & modules.keys()) - {module}
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert len(order) == len(modules)


def test_a_circle_would_be_found() -> None:
    with pytest.raises(graphlib.CycleError):
        list(graphlib.TopologicalSorter({"a": {"b"}, "b": {"a"}}).static_order())


def test_the_environments_know_no_agent() -> None:
    for path in PACKAGES[0].rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert not any(name.startswith("mec_moe_agents") for name in names_in(node)), path


def test_numba_is_touched_in_one_place() -> None:
    home = PACKAGES[0] / "core" / "kernels.py"
    assert all(word in home.read_text() for word in INTERNALS if word != "llvmlite")
    for package in PACKAGES:
        for path in package.rglob("*.py"):
            tree = ast.parse(path.read_text())
            if path == home:
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    assert not any(name.startswith(INSIDES) for name in names_in(node)), path
                if isinstance(node, ast.Attribute):
                    assert node.attr not in INTERNALS, path


def test_heavy_packages_wait_until_they_are_used() -> None:
    heavy = {"torch", "stable_baselines3", "sb3_contrib", "matplotlib", "sklearn", "PIL", "pygame"}
    heavy |= {"pettingzoo", "mo_gymnasium"}
    light = "__init__", "config", "core/kernels", "offloading/env", "dmoe/env", "rendering/modes"
    for module in (*light, "multiobjective", "parallel"):
        tree = ast.parse((PACKAGES[0] / f"{module}.py").read_text())
        for statement in imported_at_once(tree.body):
            assert not heavy & {name.partition(".")[0] for name in names_in(statement)}
