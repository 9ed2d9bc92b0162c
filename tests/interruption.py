"""Ctrl-C, as a terminal sends it to a command that is at work."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence

PATIENCE_SECONDS = 300.0


def interrupt_once(command: Sequence[str], begun: Callable[[], bool]) -> tuple[int, str]:
    """Interrupt all processes of a command once it has begun; return exit code and stderr."""
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            end = time.monotonic() + PATIENCE_SECONDS
            while not begun():
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.01)
            # Past the loading of machine code, where Python drops what is raised in callbacks.
            time.sleep(0.2)
            os.killpg(process.pid, signal.SIGINT)
            _, errors = process.communicate(timeout=PATIENCE_SECONDS)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, errors
