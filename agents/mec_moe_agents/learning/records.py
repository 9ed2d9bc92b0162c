"""What a run knows of itself besides the weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Evaluation:
    """How good the policy was at one checkpoint, on the validation seeds."""

    steps: int
    """Steps of the learner until then: slots or layers, or decisions."""
    mean_return: float
    low: float
    """95 % bootstrap interval of the mean."""
    high: float
    train_seconds: float
    """Wall time of training until then, evaluations and start-up left out."""


@dataclass(frozen=True)
class Progress:
    """Where a run is; what `last` holds beside the weights."""

    leg: int = 0
    """The next leg."""
    evaluations: tuple[Evaluation, ...] = ()

    @property
    def steps(self) -> int:
        """Steps made so far."""
        return self.evaluations[-1].steps if self.evaluations else 0

    @property
    def best(self) -> Evaluation:
        """The evaluation with the highest mean return, the first of equals.

        Raises:
            ValueError: there is none yet.
        """
        return max(self.evaluations, key=lambda evaluation: evaluation.mean_return)

    def after(self, evaluation: Evaluation) -> Self:
        """Return the progress with one more evaluation, at the start of the next leg."""
        return dataclasses.replace(
            self,
            leg=self.leg + 1 if self.evaluations else 0,
            evaluations=(*self.evaluations, evaluation),
        )

    def describe(self) -> dict[str, Any]:
        """Return the progress as JSON has it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_description(cls, described: Mapping[str, Any]) -> Self:
        """Rebuild what `describe` returned.

        Raises:
            TypeError: a field is missing or unknown.
            KeyError: a field is missing.
        """
        evaluations = tuple(Evaluation(**one) for one in described["evaluations"])
        return cls(described["leg"], evaluations)
