"""A value that falls with the environment steps made, whatever the length of the run."""

from __future__ import annotations


class StepSchedule:
    """Linear from `initial` to `final` over `steps` environment steps, then constant.

    Stable-Baselines3's schedules depend on the share of the run that remains: a run that is
    extended would have begun differently. This one counts steps; the training loop keeps
    `done` at the number made so far.
    """

    def __init__(self, initial: float, final: float, steps: int) -> None:
        self.initial = initial
        self.final = final
        self.steps = steps
        self.done = 0

    def __call__(self, progress_remaining: float) -> float:
        """Return the value of now; what remains of the run does not matter."""
        return self.initial + (self.final - self.initial) * min(self.done / self.steps, 1.0)
