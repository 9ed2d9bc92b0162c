"""Which measures a picture of a comparison shows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """A measure with the words beside it."""

    label: str
    measure: str = ""
    scale: float = 1.0
    fit: str = "data"
    """What the axis covers: the data, the data and zero, or errors (logarithmic if they must)."""


@dataclass(frozen=True)
class View:
    """The two panels: a curve over the steps of an episode, and a plane of two measures."""

    curve_title: str
    step: str
    curve: Axis
    plane_title: str
    horizontal: Axis
    vertical: Axis
    settled_from: float
    """Share of the curve's beginning that may leave the axis: errors start with jumps."""


OFFLOADING = View(
    curve_title="Error over time (mean and 95 % interval)",
    step="Slot",
    curve=Axis("Overall generalization error $G_t$", fit="errors"),
    plane_title="Error against energy (lower left is better)",
    horizontal=Axis("Energy per arriving task (mJ)", "energy_per_arrival_j", 1e3),
    vertical=Axis("Final generalization error $G_T$", "generalization_error", fit="errors"),
    settled_from=0.05,
)
DMOE = View(
    curve_title="Energy by layer (mean and 95 % interval)",
    step="Layer",
    curve=Axis("Energy of the layer, all tokens (mJ)", scale=1e3, fit="zero"),
    plane_title="Violations against energy (lower left is better)",
    horizontal=Axis("Energy per token, all layers (mJ)", "energy_per_token_j", 1e3),
    vertical=Axis("Token layers below the threshold (%)", "violated", 1e2, fit="zero"),
    settled_from=0.0,
)
DMOE_MODEL = View(
    curve_title=DMOE.curve_title,
    step=DMOE.step,
    curve=DMOE.curve,
    plane_title="Accuracy against energy (upper left is better)",
    horizontal=DMOE.horizontal,
    vertical=Axis("Accuracy on held-out digits (%)", "accuracy", 1e2),
    settled_from=0.0,
)


def view_of(measures: Collection[str]) -> View:
    """Return the view for episodes that have these measures."""
    if "energy_per_token_j" not in measures:
        return OFFLOADING
    return DMOE_MODEL if "accuracy" in measures else DMOE
