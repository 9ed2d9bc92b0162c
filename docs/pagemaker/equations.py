"""The map from the papers' equations to the functions that compute them.

What a function does is taken from its docstring; only the formula and its origin stand here.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pagemaker.markdown import code, table

PAPER, RECONSTRUCTED, OURS = "paper", "reconstructed", "our extension"


@dataclass(frozen=True)
class Equation:
    """A formula, where it stands, and what computes it."""

    place: str
    formula: str
    functions: tuple[str, ...]
    """Dotted names."""
    origin: str = PAPER


RADIO = (
    Equation("rate", "r = B0·log2(1 + SNR)", ("mec_moe_env.radio.links.transmission_seconds",)),
    Equation(
        "SNR",
        "g·P0/(N0·B0), log-distance path loss, shadowing",
        (
            "mec_moe_env.radio.geometry.noise_power_w",
            "mec_moe_env.radio.geometry.reference_snr",
            "mec_moe_env.radio.geometry.write_mean_snr",
        ),
        OURS,
    ),
    Equation(
        "fading in time",
        "h(t+1) = ρ·h(t) + √(1 − ρ²)·CN(0, 1), ρ = J0(2π·f_D·slot)",
        (
            "mec_moe_env.radio.channel.fading_correlation",
            "mec_moe_env.radio.channel.advance_fading",
        ),
        OURS,
    ),
    Equation(
        "energy of a link",
        "P0·b/r",
        (
            "mec_moe_env.offloading.pricing.pick_joules",
            "mec_moe_env.dmoe.charge.state_joules",
        ),
    ),
)
LI_DUAN = (
    Equation(
        "Definition 1",
        "X has one column β·v_n, the others N(0, σ_t²·I); y = Xᵀw",
        (
            "mec_moe_env.tasks.synthetic.draw_truths",
            "mec_moe_env.tasks.synthetic.draw_synthetic_task",
        ),
    ),
    Equation(
        "Lemma 1",
        "w ← w + X(XᵀX)⁻¹(y − Xᵀw)",
        ("mec_moe_env.experts.learn",),
    ),
    Equation(
        "model error",
        "‖w − w_τ‖²",
        ("mec_moe_env.experts.model_error", "mec_moe_env.offloading.judgement.quadratic_errors"),
    ),
    Equation(
        "overall generalization error, forgetting",
        "G_t = (1/t)·Σ ‖w_t^(m_τ) − w_τ‖²; F_t",
        ("mec_moe_env.offloading.step.measure",),
    ),
    Equation(
        "delay",
        "d_t = ⌈(transfer + computation)/slot⌉ in [1, d_u]",
        (
            "mec_moe_env.offloading.pricing.sending_seconds",
            "mec_moe_env.offloading.pricing.training_seconds",
            "mec_moe_env.radio.links.slots_needed",
        ),
    ),
    Equation(
        "eq. (3), gate",
        "h_m = θ_mᵀx, x = Σ_i X_i",
        ("mec_moe_agents.offloading.gating.GatingNetwork",),
    ),
    Equation(
        "eq. (4), router",
        "argmax over idle m of h_m + r_m, r_m ~ U[0, λ]",
        (
            "mec_moe_agents.offloading.gating.GatingNetwork.relevance",
            "mec_moe_agents.offloading.picks.greedy_action",
        ),
    ),
    Equation("eq. (5)", "π = softmax(h)", ("mec_moe_env.moe.model.softmax",)),
    Equation(
        "eq. (7), load balance",
        "α·M·Σ f_m·π_m",
        ("mec_moe_agents.offloading.gate_descent.write_slope",),
        RECONSTRUCTED,
    ),
    Equation(
        "eq. (13), locality loss",
        "θ_j ← θ_j − η·‖Δw‖·π_m(1{j = m} − π_j)·x",
        (
            "mec_moe_agents.offloading.gate_descent.write_slope",
            "mec_moe_agents.offloading.gate_descent.descend",
        ),
        RECONSTRUCTED,
    ),
    Equation(
        "Algorithm 1",
        "route, train, update Θ at t + d_t",
        (
            "mec_moe_agents.offloading.gating.GatingNetwork",
            "mec_moe_agents.offloading.routing.RoutingAgent",
        ),
    ),
    Equation(
        "early termination",
        "stop once every gap |h_j − h_m| was below Γ",
        ("mec_moe_agents.offloading.gating.GatingNetwork.remember",),
        RECONSTRUCTED,
    ),
    Equation(
        "traditional edge computing",
        "nearest, or most powerful, idle server",
        (
            "mec_moe_agents.offloading.gates.NearestGate",
            "mec_moe_agents.offloading.gates.MostPowerfulGate",
        ),
    ),
    Equation("ablation", "random idle server", ("mec_moe_agents.offloading.gates.RandomGate",)),
    Equation(
        "M_th",
        "P[Binomial(d_u, 1/N) > M_th] ≤ δ",
        ("mec_moe_env.theory.concurrent_experts",),
        RECONSTRUCTED,
    ),
    Equation(
        "enough experts",
        "M = Ω(N·M_th·ln(1/δ))",
        ("mec_moe_env.theory.enough_experts",),
    ),
    Equation(
        "exploration",
        "T_1 = ⌈M/η⌉",
        ("mec_moe_env.theory.exploration_rounds",),
        RECONSTRUCTED,
    ),
)
QIN = (
    Equation(
        "relevance",
        "Σ_j α·g",
        ("mec_moe_env.dmoe.step.measure_tokens", "mec_moe_env.moe.model.gate_scores"),
    ),
    Equation(
        "aggregation",
        "weights g·α/Σ g·α",
        ("mec_moe_env.moe.model.apply_experts",),
    ),
    Equation(
        "E_comm",
        "P0·s0·n_ij/r_ijs; i = j is free",
        ("mec_moe_env.dmoe.step.transmit", "mec_moe_env.dmoe.links.states_seconds"),
    ),
    Equation(
        "backward link",
        "b/r + b/r'",
        ("mec_moe_env.dmoe.links.both_ways",),
        RECONSTRUCTED,
    ),
    Equation(
        "layer importance",
        "γ^(l) = γ0^l",
        ("mec_moe_env.DMoEConfig.layer_importance",),
    ),
    Equation(
        "P1, P2",
        "min energy s.t. C1 Σ α·g ≥ z·γ^(l), C2 Σ α ≤ D, C3 a subcarrier per link",
        ("mec_moe_agents.solvers.LayerProblem", "mec_moe_agents.dmoe.layer.ThresholdSchedule"),
    ),
    Equation(
        "DES",
        "min Σ e·α s.t. Σ t·α ≥ threshold, Σ α ≤ D",
        (
            "mec_moe_agents.solvers.select_experts",
            "mec_moe_agents.solvers.selection_search.search_rows",
        ),
    ),
    Equation(
        "subcarrier allocation",
        "assignment of cost P0·s0·n_ij/r_ijs",
        ("mec_moe_agents.solvers.allocate_subcarriers",),
    ),
    Equation(
        "JESA(γ0, D)",
        "block coordinate descent between the two",
        ("mec_moe_agents.solvers.allocate_jointly",),
    ),
    Equation(
        "JESA+",
        "JESA, then a search over links",
        ("mec_moe_agents.solvers.allocate_jointly_plus",),
        OURS,
    ),
    Equation("Top-k", "the D highest scores", ("mec_moe_agents.dmoe.schedulers.TopScheduler",)),
    Equation(
        "H(z, D)",
        "γ^(l) = 1 in all layers",
        ("mec_moe_agents.dmoe.layer.same_for_all_layers",),
    ),
    Equation("LB(γ0, D)", "C3 ignored", ("mec_moe_agents.solvers.lower_bound",)),
    Equation(
        "optimality of JESA",
        "Π_{i < K(K−1)} (1 − i/S)",
        ("mec_moe_env.theory.optimality_probability",),
    ),
)
EXTENSIONS = (
    Equation(
        "Offloading's reward",
        "−(w_err·ΔE + w_energy·J + w_delay·delay)",
        ("mec_moe_env.offloading.step.measure",),
        OURS,
    ),
    Equation(
        "DMoE's charge",
        "Σ ρ_q·(1 + m_q) over violated tokens, per E_ref",
        ("mec_moe_env.dmoe.charge.charge_violations", "mec_moe_agents.solvers.charge_layer"),
        OURS,
    ),
    Equation(
        "certified bounds",
        "a return that no policy exceeds",
        (
            "mec_moe_agents.certified_bound",
            "mec_moe_agents.bounds.offloading.certify_offloading",
            "mec_moe_agents.bounds.layers.certify_layers",
        ),
        OURS,
    ),
)
CHAPTERS: Mapping[str, Sequence[Equation]] = {
    "Radio, in both papers": RADIO,
    "Li & Duan, *Theory of Mixture-of-Experts for Mobile Edge Computing*": LI_DUAN,
    "Qin et al., *Optimal Expert Selection for Distributed Mixture-of-Experts …*": QIN,
    "Ours": EXTENSIONS,
}
INTRODUCTION = """# From equations to functions

Each formula of the two papers (arXiv [2412.15690](https://arxiv.org/abs/2412.15690) and
[2503.13421](https://arxiv.org/abs/2503.13421)) with the code that computes it and the first line of
that code's docstring. *Paper* is stated there; *reconstructed* is what we filled in where the text
does not tell; *our extension* is neither paper's.
"""


def find(name: str) -> Any:
    """Return what a dotted name stands for.

    Raises:
        AttributeError: there is no such thing.
    """
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise AttributeError(name)


def equations_page() -> str:
    """Return the page."""
    chapters = [
        f"## {title}\n\n{table(['where', 'formula', 'origin', 'code'], list(map(_row, equations)))}"
        for title, equations in CHAPTERS.items()
    ]
    return "\n".join([INTRODUCTION, *chapters])


def _row(equation: Equation) -> list[str]:
    return [
        equation.place,
        equation.formula,
        equation.origin,
        "<br>".join(f"{code(name)}: {first_line(name)}" for name in equation.functions),
    ]


def first_line(name: str) -> str:
    """Return the first line of what a dotted name says of itself."""
    return (inspect.getdoc(find(name)) or "").partition("\n")[0]
