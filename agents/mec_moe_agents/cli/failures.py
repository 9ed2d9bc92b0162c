"""Exit codes, and one clear line instead of a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

FAILED = 1
WRONG_USE = 2
INTERRUPTED = 130


def leave(message: str, code: int) -> NoReturn:
    """Say why on stderr and end the command with `code`."""
    typer.echo(f"mec-moe: {message}", err=True)
    raise typer.Exit(code)


@contextmanager
def reported(interrupted: str = "interrupted") -> Iterator[None]:
    """End the command with the right code when the block fails for a reason outside the code.

    A `ValueError` comes from what the user asked for (2); files, folders and missing extras fail
    at run time (1); Ctrl-C says `interrupted` (130).
    """
    try:
        yield
    except KeyboardInterrupt:
        leave(interrupted, INTERRUPTED)
    except ValueError as error:
        leave(str(error), WRONG_USE)
    except (OSError, ImportError) as error:
        leave(str(error), FAILED)
