"""A row of a stock file that cannot be stored: it is refused alone, and named."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was left out.

    `key` is None where the key itself is wrong, `column` where no single value is to blame. `line`
    counts the header of a CSV; in a parquet file it is the row's number, from 1.
    """

    key: str | None
    code: str
    line: int
    column: str | None = None

    def in_words(self) -> str:
        """Say where the row stands and what is wrong, without any of its values."""
        column = f", {self.column}" if self.column else ""
        return f"line {self.line}{column}: {self.code}"
