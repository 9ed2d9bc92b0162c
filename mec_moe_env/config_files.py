"""Flat documents of names and values as TOML, JSON or YAML, read within limits and written whole.

A document comes from outside: its size and nesting are limited, a name that stands twice and YAML's
aliases are refused, and every error names the file.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mec_moe_env.files import blaming, expect_file, write_text
from mec_moe_env.limits import CONFIG_BYTES, CONFIG_DEPTH
from mec_moe_env.shown import shown

FORMAT = 1
"""Of what is written; a file without the name `format` is of the first."""
SUFFIXES = (".toml", ".json", ".yaml", ".yml")
YAML_NUMBER = re.compile(r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$")
"""What YAML 1.2 takes for a number and PyYAML, which reads YAML 1.1, for text: 1e6."""


def read_document(path: Path) -> dict[str, Any]:
    """Read a document; its suffix says in which format it is, and `~` is the home folder.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: the file cannot be opened.
        ValueError: the suffix is unknown, the file is larger than 1 MiB, damaged, nested too
            deeply, of a newer format, or holds no names with values.
        ImportError: it is YAML, and PyYAML is not installed.
    """
    path = path.expanduser()
    read = _format_of(path, {"toml": tomllib.loads, "json": _from_json, "yaml": _from_yaml})
    expect_file(path, f"a {path.suffix[1:]} file")
    size = path.stat().st_size
    if size > CONFIG_BYTES:
        raise ValueError(f"{path}: {size:,} bytes are too many, allowed are {CONFIG_BYTES:,}")
    if read is _from_yaml:
        _need_yaml()  # a missing package is not the file's fault
    content = path.read_bytes()
    with blaming(path, f"not a proper {path.suffix[1:]} file"):
        document = read(content.decode("utf-8"))
    if not isinstance(document, dict) or not all(isinstance(name, str) for name in document):
        raise ValueError(f"{path}: expected names with values, got {type(document).__name__}")
    for name, value in document.items():
        _check_nesting(path, name, value)
    if (format_ := document.pop("format", FORMAT)) != FORMAT:
        raise ValueError(
            f"{path}: format = {shown(format_)} is not allowed: this release reads {FORMAT}"
        )
    return document


def write_document(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document in the format of the suffix, whole or not at all; `~` is the home folder.

    TOML has no null: a name whose value is None is left out there.

    Raises:
        OSError: the folder cannot be written.
        ValueError: the suffix is unknown, a value is none of text, number, truth, None and
            sequences of those, or `read_document` would not read it: a None within a list of
            TOML, an infinite number within one of JSON, more than 1 MiB in all.
        ImportError: it is to be YAML, and PyYAML is not installed.
    """
    path = path.expanduser()
    write = _format_of(path, {"toml": _to_toml, "json": _to_json, "yaml": _to_yaml})
    plain = {name: _listed(path, name, value) for name, value in document.items()}
    for name, value in plain.items():
        _check_nesting(path, name, value)
        _check_elements(path, name, value, write)
    text = write({"format": FORMAT, **plain})
    if (size := len(text.encode())) > CONFIG_BYTES:
        raise ValueError(
            f"{path}: {size:,} bytes would not be read again, allowed are {CONFIG_BYTES:,}: "
            "name a file of data instead of giving its rows"
        )
    write_text(path, text)


def _format_of(path: Path, formats: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path}: the name must end in one of {', '.join(SUFFIXES)}")
    return formats[path.suffix[1:].replace("yml", "yaml")]


def _check_nesting(path: Path, name: str, value: Any, depth: int = 0) -> None:
    if isinstance(value, Mapping):
        raise ValueError(f"{path}: {name} is a table, expected a number, text or a list")
    if isinstance(value, list):
        if depth == CONFIG_DEPTH:
            raise ValueError(f"{path}: {name} is nested more than {CONFIG_DEPTH} lists deep")
        for each in value:
            _check_nesting(path, name, each, depth + 1)


def _listed(path: Path, name: str, value: Any) -> Any:
    """Return a value with lists for sequences, as all three formats have them."""
    if isinstance(value, list | tuple):
        return [_listed(path, name, each) for each in value]
    if isinstance(value, str) and _has_surrogates(value):
        raise ValueError(f"{path}: {name} = {shown(value)} cannot be written as UTF-8")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ValueError(f"{path}: {name} = {shown(value)} cannot be written to a file")


def _has_surrogates(text: str) -> bool:
    """Tell whether a text holds halves of characters, as names of files that are no UTF-8 do."""
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _check_elements(path: Path, name: str, value: Any, write: Callable[..., str]) -> None:
    """Refuse what a format cannot hold within a list, however deep."""
    for each in value if isinstance(value, list) else ():
        if each is None and write is _to_toml:
            raise ValueError(
                f"{path}: {name} holds None in a list, which TOML cannot: write .json or .yaml"
            )
        if isinstance(each, float) and not math.isfinite(each) and write is _to_json:
            raise ValueError(
                f"{path}: {name} holds {each} in a list, which JSON cannot: write .toml or .yaml"
            )
        _check_elements(path, name, each, write)


def _from_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_without_doubles)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, _ in pairs if [each for each, _ in pairs].count(name) > 1)
        raise ValueError(f"{twice} stands twice")
    return found


def _to_json(document: Mapping[str, Any]) -> str:
    finite = {name: _finite(value) for name, value in document.items()}
    return json.dumps(finite, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """Write infinity as text, which `Config.from_dict` understands: JSON has no such number."""
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def _to_toml(document: Mapping[str, Any]) -> str:
    given = {name: value for name, value in document.items() if value is not None}
    return "".join(f"{name} = {_toml_value(value)}\n" for name, value in given.items())


def _toml_value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml_value, value))}]"
    if isinstance(value, float):
        return repr(value)
    # JSON lets a text hold DEL as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _need_yaml() -> None:
    try:
        import yaml  # noqa: F401
    except ImportError as error:
        raise ImportError("YAML needs pyyaml: pip install 'mec-moe-env[yaml]'") from error


def _from_yaml(text: str) -> Any:
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Plain data, without aliases, names that stand twice, or 1e6 as text."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise ValueError("aliases (*name) are not allowed")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            pairs = [(self.construct_object(key, deep=True), None) for key, _ in node.value]
            _without_doubles(pairs)
            return super().construct_mapping(node, deep)

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", YAML_NUMBER, list("-+.0123456789"))
    return Loader(text).get_single_data()


def _to_yaml(document: Mapping[str, Any]) -> str:
    _need_yaml()
    import yaml

    text: str = yaml.safe_dump(
        dict(document), sort_keys=False, allow_unicode=True, default_flow_style=None
    )
    return text
