"""What old channel knowledge costs, by delay and Doppler frequency (our extension).

The paper leaves fast channels open. A transfer has to end within the slot (a documented choice:
`deadline_seconds = slot_seconds`); what does not arrive in time is lost, and its tokens fall below
their thresholds. Reliable links get picked on what was seen, so that both energy and violations
grow with the age of the observation and the speed of the channel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.evaluation.statistics import estimate_mean
from mec_moe_agents.report.figure import Look
from mec_moe_agents.reproduce.drawing import Floats, draw_band, finish, new_figure
from mec_moe_agents.reproduce.output import as_json
from mec_moe_agents.reproduce.study import Answer, Headline, Row, Study
from mec_moe_env import DMOE_PRESETS, DMoEConfig

DELAYS = (0, 1, 2, 3, 4)
DOPPLER = {0.5: "0.5 Hz", 1.0: "1 Hz", 2.0: "2 Hz", float("inf"): "independent slots"}
LOOKS = {
    0.5: Look("#009E73", "-", "o"),
    1.0: Look("#0072B2", "--", "s"),
    2.0: Look("#E69F00", "-.", "^"),
    float("inf"): Look("#000000", ":", "D"),
}


def scenario(doppler: float, delay: int) -> DMoEConfig:
    """Return `paper` with a stale channel and transfers that have to end within the slot."""
    paper = DMOE_PRESETS["paper"]
    return paper.override(doppler_hz=doppler, csi_delay=delay, deadline_seconds=paper.slot_seconds)


def run(seeds: Sequence[int]) -> Answer:
    """Sweep delay and Doppler frequency with JESA."""
    rows: list[Row] = []
    energy: dict[float, Floats] = {}
    violated: dict[float, Floats] = {}
    for doppler in DOPPLER:
        found = []
        for delay in DELAYS:
            config = scenario(doppler, delay)
            metrics = evaluate("jesa", config, seeds).metrics
            found.append(metrics)
            rows += [
                {
                    "doppler_hz": doppler,
                    "csi_delay": delay,
                    "seed": seed,
                    **{
                        name: metrics[name][row]
                        for name in ("energy_per_token_j", "violated", "lost_states")
                    },
                    "config": as_json(config),
                }
                for row, seed in enumerate(seeds)
            ]
        energy[doppler] = np.stack([m["energy_per_token_j"] for m in found], axis=1)
        violated[doppler] = np.stack([m["violated"] for m in found], axis=1)
    return Answer(rows, _draw(energy, violated, len(seeds)), _headlines(energy, violated))


def _headlines(energy: dict[float, Floats], violated: dict[float, Floats]) -> list[Headline]:
    lines = []
    for doppler, name in DOPPLER.items():
        more = energy[doppler][:, 1] / energy[doppler][:, 0] - 1.0
        label = f"energy added by a delay of one slot, {name} (%)"
        lines.append(Headline(label, estimate_mean(100 * more)))
    for doppler, name in DOPPLER.items():
        more = violated[doppler][:, 1] - violated[doppler][:, 0]
        label = f"violations added by a delay of one slot, {name} (points)"
        lines.append(Headline(label, estimate_mean(100 * more)))
    return lines


def _draw(energy: dict[float, Floats], violated: dict[float, Floats], seeds: int) -> Figure:
    deadline = 1e3 * scenario(1.0, 0).deadline_seconds
    figure, (left, right) = new_figure(
        f"DMoE · paper, JESA, deadline {deadline:g} ms, {seeds} seeds (mean and 95 % interval)"
    )
    for doppler, name in DOPPLER.items():
        label = name if np.isinf(doppler) else f"Doppler {name}"
        draw_band(left, DELAYS, 1e3 * energy[doppler], LOOKS[doppler], label)
        draw_band(right, DELAYS, 1e2 * violated[doppler], LOOKS[doppler], label)
    for axes in (left, right):
        axes.set_xticks(DELAYS)
        axes.set_ylim(bottom=0)
    slot = 1e3 * scenario(1.0, 0).slot_seconds
    age = f"Age of the channel knowledge (slots of {slot:g} ms)"
    finish(left, "Energy", age, "Energy per token, all layers (mJ)")
    finish(right, "Missed thresholds", age, "Token layers below z·γ0^l (%)", legend=False)
    return figure


STUDY = Study("staleness", "What does old knowledge of a fast channel cost?", run)
