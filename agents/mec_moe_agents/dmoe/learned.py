"""Learned layer importance: schedules from thrifty to accurate, and which one `learned` follows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from mec_moe_env import DMoEConfig
from mec_moe_env.config import Config, Real, reject
from mec_moe_env.files import read_json, write_text

FORMAT = 3
DIGIT_CLASSES = 10
DIGITS_MOE = Path(__file__).with_name("digits_moe.json")
"""The shipped schedules, which `mec-moe learn-importance` found."""
FIELDS = {"joules": Real(0), "spent": Real(0), "loss": Real(0), "accuracy": Real(0, 1)}
MATCH_FIELDS = {"hand_set": Real(0, 1), "gain": Real(-1, 1), "margin": Real(0)}


@dataclass(frozen=True)
class LearnedSchedule:
    """The importance of every layer, and what it brought on training episodes."""

    importance: tuple[float, ...]
    """γ^(l) of layers l = 1..L."""
    joules: float
    """Per token, all layers."""
    spent: float
    """Energy as the reward measures it, −`reward_energy` of an episode."""
    loss: float
    """Cross-entropy, nats."""
    accuracy: float


@dataclass(frozen=True)
class Match:
    """The schedule that replaces γ0^l at no loss of accuracy on training episodes."""

    hand_set: float
    """γ0."""
    importance: tuple[float, ...]
    gain: float
    """Mean accuracy over JESA's on those episodes."""
    margin: float
    """What the gain had to reach."""


@dataclass(frozen=True)
class ScheduleFamily:
    """Schedules by rising energy; at least one.

    Raises:
        ValueError: there is none.
    """

    schedules: tuple[LearnedSchedule, ...]
    matches: tuple[Match, ...] = ()
    """For each γ0 the schedule that replaces γ0^l."""

    def __post_init__(self) -> None:
        if not self.schedules:
            raise ValueError("a family needs at least one schedule")

    def best_for(self, loss_weight: float, energy_weight: float) -> LearnedSchedule:
        """Return the schedule of the least loss_weight·loss + energy_weight·joules."""
        return min(self.schedules, key=lambda s: loss_weight * s.loss + energy_weight * s.joules)

    def best_return(self, error_weight: float, energy_weight: float) -> LearnedSchedule:
        """Return the schedule of the highest return under these weights of the reward's terms."""
        guess = math.log(DIGIT_CLASSES)
        return min(
            self.schedules, key=lambda s: error_weight * s.loss / guess + energy_weight * s.spent
        )

    def reaching(self, accuracy: float) -> LearnedSchedule:
        """Return the cheapest schedule of at least this accuracy on training episodes.

        Raises:
            ValueError: none is as accurate.
        """
        highest = max(each.accuracy for each in self.schedules)
        allowed = Real(0, highest)
        if not allowed.admits(accuracy):
            raise reject("accuracy", accuracy, allowed)
        within = [each for each in self.schedules if each.accuracy >= accuracy]
        return min(within, key=lambda each: each.joules)

    @classmethod
    def load(cls, path: str | Path, num_layers: int) -> Self:
        """Read a file that `save` wrote.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is damaged, of another format, or for another number of layers; the
                path and what was expected are named.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"{path}: expected a JSON file of learned schedules")
        content = read_json(path)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"{path}: expected learned schedules of format {FORMAT}")
        schedules, matches = content.get("schedules"), content.get("matches")
        if not isinstance(schedules, list) or not schedules:
            raise ValueError(f"{path}: 'schedules' must be a list of at least one schedule")
        if not isinstance(matches, list):
            raise ValueError(f"{path}: 'matches' must be a list")
        return cls(
            tuple(LearnedSchedule(**_read(one, FIELDS, num_layers, path)) for one in schedules),
            tuple(Match(**_read(one, MATCH_FIELDS, num_layers, path)) for one in matches),
        )

    def save(self, path: str | Path, about: Mapping[str, Any]) -> None:
        """Write the family as JSON, whole or not at all.

        Args:
            path: where to.
            about: where it comes from, written beside the schedules.

        Raises:
            OSError: the folder cannot be written.
        """
        text = json.dumps({"format": FORMAT, **about}, indent=2)[:-2]
        for name, entries in (("schedules", self.schedules), ("matches", self.matches)):
            # A line for each: files can be compared.
            lines = ",\n".join(f"    {json.dumps(asdict(entry))}" for entry in entries)
            text += f',\n  "{name}": [\n{lines}\n  ]'
        write_text(Path(path), f"{text}\n}}\n")


def has_learned_importance(config: Config) -> bool:
    """Tell whether schedules were learned for a scenario: for its model, the digits' one."""
    return getattr(config, "gates", None) == "digits"


def learned_family(config: DMoEConfig, path: str | Path | None = None) -> ScheduleFamily:
    """Return the schedules that were learned for a scenario.

    Args:
        config: the scenario.
        path: a file that `mec-moe learn-importance` wrote; None takes the shipped one.

    Raises:
        ValueError: nothing was learned for the scenario, or the file is damaged.
        FileNotFoundError: there is no such file.
    """
    if not has_learned_importance(config):
        raise ValueError(
            f"learned needs a scenario with gates = 'digits', got {config.gates!r}: take jesa"
        )
    return ScheduleFamily.load(DIGITS_MOE if path is None else path, config.num_layers)


def learned_schedule(
    config: DMoEConfig,
    trade_off: float | None = None,
    accuracy: float | None = None,
    path: str | Path | None = None,
) -> LearnedSchedule:
    """Choose the operating point.

    Args:
        config: the scenario.
        trade_off: joules per token that a nat of cross-entropy is worth. None follows the
            reward and its weights.
        accuracy: instead, the least accuracy on the training episodes that it was learned on.
        path: a file that `mec-moe learn-importance` wrote; None takes the shipped one.

    Raises:
        ValueError: nothing was learned for the scenario; an option is out of range, or both say
            what to choose; the file is damaged.
        FileNotFoundError: there is no such file.
    """
    family = learned_family(config, path)
    if trade_off is not None and accuracy is not None:
        raise ValueError(f"give trade_off = {trade_off} or accuracy = {accuracy}, not both")
    if accuracy is not None:
        return family.reaching(accuracy)
    if trade_off is not None:
        if not (allowed := Real(0)).admits(trade_off):
            raise reject("trade_off", trade_off, allowed)
        return family.best_for(trade_off, 1.0)
    return family.best_return(config.error_weight, config.energy_weight)


def _read(entry: Any, fields: Mapping[str, Real], num_layers: int, source: Path) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise ValueError(f"{source}: a schedule is {entry!r}, expected an object")
    importance = entry.get("importance")
    given = importance if isinstance(importance, list) else []
    if len(given) != num_layers or not all(map(Real(0, 1).admits, given)):
        raise ValueError(
            f"{source}: 'importance' is {importance!r}, expected {num_layers} numbers in [0, 1]"
        )
    for name, allowed in fields.items():
        if not allowed.admits(entry.get(name)):
            raise ValueError(f"{source}: {name!r} is {entry.get(name)!r}, expected {allowed}")
    numbers = {name: float(entry[name]) for name in fields}
    return {"importance": tuple(map(float, given)), **numbers}
