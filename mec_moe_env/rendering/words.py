"""How numbers and lists are put into words, in texts and pictures alike."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from mec_moe_env.rendering.scene import Account

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
WIDTH = 100
"""Most characters in a line of text."""


def letter(type_: int) -> str:
    """Name a task type: A to Z, a to z, then A1 and so on."""
    rounds, place = divmod(type_, len(LETTERS))
    return LETTERS[place] + (str(rounds) if rounds else "")


def joules(value: float) -> str:
    """Write an energy in mJ, or in J from one on."""
    return f"{value:.2f} J" if value >= 1.0 else f"{1e3 * value:.1f} mJ"


def counted(number: int, unit: str) -> str:
    """Write a number with its unit, in the plural where it is not one."""
    return f"{number:,} {unit}" + ("" if number == 1 else "s")


def signed(value: float) -> str:
    """Write part of a return; what rounds to zero has no sign."""
    text = f"{value:,.3f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0.0 else text


def return_line(account: Account) -> str:
    """Say what the return so far is made of."""
    parts = ", ".join(f"{term} {signed(value)}" for term, value in account.term_totals.items())
    since = f" since step {account.since}" if account.since else ""
    return f"return{since} {signed(account.episode_return)} = {parts}"


def reward_line(account: Account) -> str:
    """Say what the last reward was made of."""
    parts = ", ".join(f"{term} {signed(value)}" for term, value in account.terms.items())
    return f"reward {signed(account.reward)} = {parts}"


def abbreviated(lines: Iterable[str], total: int, most: int) -> list[str]:
    """Return the first of `total` lines, at most so many; the last says how many are left out."""
    if total <= most:
        return list(lines)
    shown = most - 1
    return [*itertools.islice(lines, shown), f"  … {total - shown:,} more"]


def flowing(parts: Iterable[str], most_lines: int, indent: str = "  ") -> list[str]:
    """Lay parts out in lines of at most `WIDTH` characters, separated by two spaces."""
    lines, left = [indent], 0
    for part in parts:
        if len(lines[-1]) + len(part) + 2 > WIDTH:
            if len(lines) == most_lines:
                left += 1
                continue
            lines.append(indent)
        if left:
            left += 1
        else:
            lines[-1] += part + "  "
    lines = [line.rstrip() for line in lines]
    return [*lines, f"{indent}… {left:,} more"] if left else lines
