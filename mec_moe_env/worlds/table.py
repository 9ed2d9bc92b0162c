"""Tables of numbers in CSV files; whatever is wrong is named with file, row and column."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mec_moe_env.config import Real, Whole
from mec_moe_env.files import read_bytes


class Row(NamedTuple):
    """A row, and where it stands."""

    place: str
    """File and row, for messages."""
    cells: dict[str, str]
    """By column, in lower case; blanks around them are taken away."""

    def reject(self, column: str, allowed: object) -> ValueError:
        """Build the error for a bad cell."""
        return ValueError(
            f"{self.place}: {column} = {self.cells[column]!r} is not allowed: "
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
        """Return a cell as an integer; `3.0` is one.

        Raises:
            ValueError: it is none, or not allowed.
        """
        value = self._value(column)
        # Of NaN and infinity too.
        if not value.is_integer() or not allowed.admits(int(value)):
            raise self.reject(column, allowed)
        return int(value)

    def _value(self, column: str) -> float:
        try:
            return float(self.cells[column])
        except ValueError:
            return math.nan


def read_rows(path: Path, *choices: Sequence[str]) -> list[Row]:
    """Read the rows of a CSV file with a header; blank lines are left out.

    Args:
        path: of the file.
        choices: names of columns, any of which sets must be there; case does not matter.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no CSV in UTF-8, larger than is read of any file, lacks a column, or a
            row has too few or too many cells.
    """
    wanted = " or ".join(", ".join(columns) for columns in choices)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a CSV file with the columns {wanted}")
    content = read_bytes(path)
    try:
        # With the byte order mark that spreadsheets write.
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        header = [name.strip().lower() for name in next(reader, [])]
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a CSV file in UTF-8 ({error})") from error
    if not any(set(columns) <= set(header) for columns in choices):
        raise ValueError(f"{path}: expected the columns {wanted}, found {', '.join(header)}")
    rows = []
    for number, cells in lines:
        if not any(cells):
            continue
        place = f"{path}, row {number}"
        if len(cells) != len(header):
            raise ValueError(f"{place}: {len(cells)} cells under {len(header)} columns")
        rows.append(Row(place, dict(zip(header, cells, strict=True))))
    return rows
