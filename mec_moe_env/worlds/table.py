"""Tables of numbers in CSV files; whatever is wrong is named with file, row and column."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mec_moe_env.config import Real, Whole
from mec_moe_env.files import expect_file, read_bytes
from mec_moe_env.shown import shown

WHOLE = re.compile(r"[-+]?[0-9]+(\.0*)?")
"""An integer, also as spreadsheets and NumPy write it in a column of numbers: 3.0."""


class Row(NamedTuple):
    """A row, and where it stands."""

    place: str
    """File and row, for messages."""
    cells: dict[str, str]
    """By column, in lower case; blanks around them are taken away."""

    def reject(self, column: str, allowed: object) -> ValueError:
        """Build the error for a bad cell."""
        return ValueError(
            f"{self.place}: {column} = {shown(self.cells[column])} is not allowed: "
            f"{column} must be {allowed}"
        )

    def number(self, column: str, allowed: Real) -> float:
        """Return a cell as a number.

        Raises:
            ValueError: it is none, or not allowed.
        """
        value = self._value(column)
        if not allowed.admits(value):
            raise self.reject(column, allowed)
        return value

    def integer(self, column: str, allowed: Whole) -> int:
        """Return a cell as an integer; `3.0` is one, `3e0` and `1_0` are none.

        Raises:
            ValueError: it is none, or not allowed.
        """
        cell = self.cells[column]
        value = float(cell) if WHOLE.fullmatch(cell) else math.nan
        # Of NaN and infinity too.
        if not value.is_integer() or not allowed.admits(int(value)):
            raise self.reject(column, allowed)
        return int(value)

    def _value(self, column: str) -> float:
        cell = self.cells[column]
        try:
            # Python alone reads 1_0 as 10.
            return math.nan if "_" in cell else float(cell)
        except ValueError:
            return math.nan


def read_rows(path: Path, *choices: Sequence[str]) -> list[Row]:
    """Read the rows of a CSV file with a header; blank lines are left out.

    Args:
        path: of the file.
        choices: names of columns, one of which sets must be there; case does not matter.

    Raises:
        FileNotFoundError: there is no such file.
        IsADirectoryError: it is a folder.
        ValueError: it is no CSV in UTF-8, larger than is read of any file, lacks a column, has one
            twice or more than one of the sets, or a row has too few or too many cells.
    """
    wanted = " or ".join(", ".join(columns) for columns in choices)
    expect_file(path, f"a CSV file with the columns {wanted}")
    content = read_bytes(path)
    try:
        # With the byte order mark that spreadsheets write.
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        header = [name.strip().lower() for name in next(reader, [])]
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a CSV file in UTF-8 ({error})") from error
    _check_header(path, header, choices, wanted)
    rows = []
    for number, cells in lines:
        if not any(cells):
            continue
        place = f"{path}, row {number}"
        if len(cells) != len(header):
            raise ValueError(f"{place}: {len(cells)} cells under {len(header)} columns")
        rows.append(Row(place, dict(zip(header, cells, strict=True))))
    return rows


def _check_header(
    path: Path, header: list[str], choices: Sequence[Sequence[str]], wanted: str
) -> None:
    """Refuse a header in which one of the sets is not there, or not the only one, or not once."""
    found = [columns for columns in choices if set(columns) <= set(header)]
    if not found:
        names = shown(", ".join(header))
        raise ValueError(f"{path}: expected the columns {wanted}, found {names}")
    if len(found) > 1:
        raise ValueError(
            f"{path}: found the columns {wanted.replace(' or ', ' and ')}: give only one of them"
        )
    twice = [column for column in found[0] if header.count(column) > 1]
    if twice:
        raise ValueError(f"{path}: the column {twice[0]} stands {header.count(twice[0])} times")
