"""What is said of an agent from outside that cannot be built, or does not answer as one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class AgentError(TypeError, ValueError):
    """An agent that is none, an option that it does not take, an answer that is no action.

    A `TypeError`, as Python has it for a wrong object or keyword; and a `ValueError`, as for any
    other bad value, which the command line turns into one line.
    """


@contextmanager
def staying(who: str) -> Iterator[None]:
    """Let no agent end the process by itself.

    Raises:
        AgentError: the block asked Python to exit; the agent is named.
    """
    try:
        yield
    except SystemExit as error:
        raise AgentError(f"{who} asked Python to exit ({error.code})") from error


@contextmanager
def importing(who: str) -> Iterator[None]:
    """Name the agent whose module cannot be imported.

    Raises:
        AgentError: its code is no Python, lacks the name, or asked Python to exit.
        ImportError: it imports what is not installed.
    """
    with staying(who):
        try:
            yield
        except SyntaxError as error:
            raise AgentError(f"{who}: no Python that can be read: {error}") from error
        except ImportError as error:
            told = f"{who}: {error}"
            raise type(error)(told, name=error.name, path=error.path) from error


@contextmanager
def naming(who: str) -> Iterator[None]:
    """Name the agent in front of what is wrong with a value, and let it not end the process.

    Raises:
        ValueError: the block raised one, of whatever kind; or it asked Python to exit.
    """
    with staying(who):
        try:
            yield
        except ValueError as error:
            raise AgentError(f"{who}: {error}") from error
