"""A layer of DMoE as text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mec_moe_env.core.buffers import Flags, Floats
from mec_moe_env.rendering.scene import DMoEScene, LayerDecision, LayerLink
from mec_moe_env.rendering.words import abbreviated, flowing, joules, return_line, reward_line

MOST_LINES = 40
"""Of a list."""
MOST_SCORES = 8
"""Experts shown of a token, by falling score."""
SCORES_WIDTH = 65
"""Characters that they may take."""


def write(scene: DMoEScene) -> str:
    """Return lines of at most 100 characters; long lists are abbreviated."""
    return "\n".join(
        [
            *_heading(scene),
            *(_decision(scene, scene.decision) if scene.decision else ()),
            *_coming(scene),
        ]
    )


def _heading(scene: DMoEScene) -> Iterator[str]:
    total = scene.account.total
    yield f"layer {scene.layer} of {scene.num_layers} done | {return_line(scene.account)}"
    accuracy = f", accuracy {100 * total['accuracy']:.1f} %" if "accuracy" in total else ""
    yield (
        f"{joules(total['energy_j'])}, relevance {total['relevance']:.3f}, "
        f"{100 * total['violated']:.0f} % of tokens short{accuracy}"
    )
    yield "; ".join(f"{total[name]:,.0f} {name.replace('_', ' ')}" for name in scene.account.counts)


def _decision(scene: DMoEScene, decision: LayerDecision) -> Iterator[str]:
    yield f"layer {decision.layer + 1}, threshold {decision.threshold:.3f}"
    yield f"  {reward_line(scene.account)}"
    yield "tokens: node.token, relevance/wanted (! short), scores ([chosen], (asked in vain))"
    tokens = np.ndindex(decision.relevance.shape)
    lines = (_outcome(decision, *token) for token in tokens)
    yield from abbreviated(lines, decision.relevance.size, MOST_LINES)
    used = len({link.subcarrier for link in decision.links if link.joules})
    yield f"links ({used:,} of {scene.num_subcarriers:,} subcarriers used)"
    yield from flowing(map(_link, decision.links), MOST_LINES) if decision.links else ["  none"]


def _outcome(decision: LayerDecision, source: int, token: int) -> str:
    chosen, dropped = decision.chosen[source, token], decision.dropped[source, token]
    wanted, reached = decision.wanted[source, token], decision.relevance[source, token]
    short = "!" if decision.violated[source, token] else " "
    name = f"{source}.{token}"
    scores = _scores(decision.gate[source, token], decision.available, chosen, dropped)
    return f"  {name:<6} {reached:.2f}/{wanted:.2f}{short} {scores}"


def _scores(gate: Floats, available: Flags, chosen: Flags, dropped: Flags) -> str:
    """List what was asked for, then the rest by falling score, as far as the line goes."""
    text, shown = "", 0
    for j in np.lexsort((-gate, ~(chosen | dropped)))[:MOST_SCORES].tolist():
        left, right = ("[", "]") if chosen[j] else ("(", ")") if dropped[j] else (" ", " ")
        part = f"{left}{j}{'' if available[j] else 'x'}:{gate[j]:.2f}{right}"
        if len(text) + len(part) > SCORES_WIDTH:
            break
        text, shown = text + part, shown + 1
    more = f" … {len(gate) - shown:,} more" if len(gate) > shown else ""
    return text.rstrip() + more


def _link(link: LayerLink) -> str:
    fate = joules(link.joules) if link.delivered else "late" if link.late else "taken"
    return f"{link.subcarrier}: {link.source}>{link.node} {link.states}x {fate}"


def _coming(scene: DMoEScene) -> Iterator[str]:
    if scene.layer == scene.num_layers:
        yield "no layer is left"
        return
    available = f"{scene.available.sum():,} of {len(scene.available):,} experts available"
    yield f"next: layer {scene.layer + 1}, threshold {scene.threshold:.3f}, {available}"
    nobody = np.zeros(scene.gate.shape[2], np.bool_)
    tokens = np.ndindex(scene.gate.shape[:2])
    lines = (
        f"  {f'{i}.{q}':<6} {_scores(scene.gate[i, q], scene.available, nobody, nobody)}"
        for i, q in tokens
    )
    yield from abbreviated(lines, scene.gate.shape[0] * scene.gate.shape[1], MOST_LINES)
