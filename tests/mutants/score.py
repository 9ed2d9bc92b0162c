"""What a run came to: shares with intervals, and what became of the survivors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from mec_moe_agents.evaluation.statistics import Estimate, share_better

from tests.mutants.explained import explanation, why_equivalent
from tests.mutants.places import Mutant


def score(killed: Sequence[bool]) -> Estimate:
    """Return the share killed with Wilson's 95 % interval."""
    return share_better(np.array(killed, np.float64), np.full(len(killed), 0.5))


def percent(share: Estimate) -> str:
    """Write a share with its interval."""
    return f"{100 * share.mean:.1f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"


def table(groups: Mapping[str, str], killed: Mapping[Mutant, bool]) -> str:
    """Write a row for each group of files, and one for all; `groups` has the group of a file."""
    rows = ["| | drawn | killed | equivalent | score | without the equivalent |", "|" + "---|" * 6]
    for group in [*dict.fromkeys(groups.values()), "all"]:
        chosen = [each for each in killed if group in (groups[each.file], "all")]
        other = [each for each in chosen if killed[each] or why_equivalent(each) is None]
        count = sum(killed[each] for each in chosen)
        shares = (percent(score([killed[each] for each in some])) for some in (chosen, other))
        cells = (group, str(len(chosen)), str(count), str(len(chosen) - len(other)), *shares)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def survivors(killed: Mapping[Mutant, bool]) -> str:
    """Write a line for each mutant that no test told."""
    lines = []
    for mutant in sorted((each for each in killed if not killed[each]), key=lambda each: each.name):
        place = f"{mutant.file}:{mutant.line}"
        lines.append(f"- {place}: `{mutant.old}` → `{mutant.new}`: {explanation(mutant)}")
    return "\n".join(lines)
