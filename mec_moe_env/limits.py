"""The most that is read of what comes from outside, in one place.

Whatever is read was perhaps written by somebody else, or by nobody: a file that unpacks to a
thousand times its size, or nests without end, is refused before it fills the memory. The limits
are far beyond what either package writes; MNIST as CSV has 110 MB.
"""

from __future__ import annotations

GIB = 2**30
TEXT_BYTES = GIB
"""Of a text, CSV or JSON file, or of one of images, unpacked."""
ARCHIVE_BYTES = 16 * GIB
"""Of all arrays of an .npz file, unpacked; replay buffers are the largest."""
ARCHIVE_MEMBERS = 10**5
"""Arrays of an .npz file."""
JSON_DEPTH = 64
"""Lists and objects around a value of a JSON file."""
CSV_ROWS = 10**7
"""Rows of a CSV file."""
CONFIG_BYTES = 2**20
"""Of a file of a configuration."""
CONFIG_DEPTH = 4
"""Lists around a value of a configuration, which needs one."""
SOURCE_BYTES = 10 * 2**20
"""Of a Python file that an agent is taken from."""
MODEL_BYTES = 4 * GIB
"""Of all members of a saved model, unpacked."""
