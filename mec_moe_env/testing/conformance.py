"""How checks are run: one after the other, each by its name, with failures that are expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from mec_moe_env.config import reject

Subject = TypeVar("Subject")
Test = TypeVar("Test", bound=Callable[..., Any])
NOTHING_EXPECTED: Mapping[str, str] = MappingProxyType({})
BASIC = "basic"


class ViolationError(AssertionError):
    """What a check has found."""


class ConformanceError(AssertionError):
    """Checks that failed and should not, or passed and should not; each is named with why."""


@dataclass(frozen=True)
class Check:
    """One check of one subject, to be called."""

    name: str
    what: str
    """What must hold, in a sentence."""
    run: Callable[[], None]
    basic: bool
    """Whether the later checks make no sense where it fails."""

    def __call__(self) -> None:
        """Run it.

        Raises:
            Exception: it fails; a `ViolationError` is the check's own.
        """
        self.run()


def basic(function: Callable[[Subject], None]) -> Callable[[Subject], None]:
    """Mark a check as one without which the later ones make no sense."""
    setattr(function, BASIC, True)
    return function


def bind(functions: Iterable[Callable[[Subject], None]], subject: Subject) -> list[Check]:
    """Make checks of functions whose docstrings say what must hold."""
    return [_bound(function, subject) for function in functions]


def _bound(function: Callable[[Subject], None], subject: Subject) -> Check:
    what = (function.__doc__ or "").partition("\n")[0]
    return Check(function.__name__, what, lambda: function(subject), hasattr(function, BASIC))


def require(holds: Any, why: str) -> None:
    """Raise a `ViolationError` that says why unless a condition holds."""
    if not holds:
        raise ViolationError(why)


def check_kind(config: object, kind: Any) -> None:
    """See that a scenario is given as its configuration.

    Raises:
        ValueError: it is something else, such as a preset's name.
    """
    if not isinstance(config, kind):
        raise reject("config", config, "a configuration, such as OFFLOADING_PRESETS['toy']")


def failures(checks: Sequence[Check]) -> dict[str, str]:
    """Run checks and return why each that failed did, by name.

    After a basic one that fails the others are not run. What asks Python to exit has failed, too.
    """
    found = {}
    for check in checks:
        try:
            check()
        except (Exception, SystemExit) as error:
            found[check.name] = f"{type(error).__name__}: {error}"
            if check.basic:
                break
    return found


def run_checks(
    subject: object,
    checks: Sequence[Check],
    expected_failures: Mapping[str, str] = NOTHING_EXPECTED,
) -> list[str]:
    """Run checks and return the names of those that passed.

    Args:
        subject: what is checked, for the message.
        checks: of it.
        expected_failures: why each of these checks, by name, may fail. One that does not is told
            as a failure is, so that the list stays true.

    Raises:
        ConformanceError: a check failed that should not, or the reverse.
        ValueError: there is no check of an expected failure's name.
    """
    check_names(checks, expected_failures)
    found = failures(checks)
    lines = [f"{name}: {why}" for name, why in found.items() if name not in expected_failures]
    lines += [
        f"{name}: passes, though it was expected to fail ({why})"
        for name, why in expected_failures.items()
        if name not in found
    ]
    if lines:
        raise ConformanceError(f"{subject!r} does not conform:\n  " + "\n  ".join(lines))
    return [check.name for check in checks if check.name not in found]


def check_names(checks: Sequence[Check], expected_failures: Mapping[str, str]) -> None:
    """See that expected failures are of checks that there are.

    Raises:
        ValueError: one is not; all names are given.
    """
    known = [check.name for check in checks]
    for name in expected_failures:
        if name not in known:
            raise ValueError(f"there is no check {name!r}: known: {', '.join(known)}")


def parametrize_with_checks(
    checks: Sequence[Check], expected_failures: Mapping[str, str] = NOTHING_EXPECTED
) -> Callable[[Test], Test]:
    """Make a test of each check: a pytest decorator for a function with an argument `check`.

    What is expected to fail is marked `xfail(strict=True)` with its reason.

    Example:
        >>> from mec_moe_env import OFFLOADING_PRESETS
        >>> from mec_moe_env.testing import parametrize_with_checks, scenario_checks
        >>> @parametrize_with_checks(scenario_checks(OFFLOADING_PRESETS["toy"]))
        ... def test_scenario(check):
        ...     check()

    Raises:
        ImportError: pytest is not installed.
        ValueError: there is no check of an expected failure's name.
    """
    import pytest

    check_names(checks, expected_failures)
    marked = [
        pytest.param(
            check,
            id=check.name,
            marks=[pytest.mark.xfail(strict=True, reason=expected_failures[check.name])]
            if check.name in expected_failures
            else [],
        )
        for check in checks
    ]
    decorator: Callable[[Test], Test] = pytest.mark.parametrize("check", marked)
    return decorator
