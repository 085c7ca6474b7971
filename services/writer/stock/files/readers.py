"""A reader of one file: its header first, then its rows with their lines."""

import contextlib
import datetime as dt
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from shared.errors import UserError

if TYPE_CHECKING:
    from services.writer.stock.refusals import RefusedRow

LINE: Final = "line"
"""The column that a reader adds: the number by which a refused row is named."""


class DamagedFile(UserError):
    """Raised when a second reading of the same file would fail in the same way."""


class StockReader:
    """Reads one file, once. `broken` collects the rows that have no values to read."""

    rows: int | None = None
    dated: dt.date | None = None
    damage: str

    def __init__(self, name: str, stream: io.BufferedReader) -> None:
        self._name = name
        self._stream = stream
        self.broken: list[RefusedRow] = []

    def names(self) -> Sequence[str]:
        """Read the header; it comes before the rows."""
        raise NotImplementedError

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows with these columns and `LINE`, in the file's order."""
        raise NotImplementedError

    @contextlib.contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Turn errors of the libraries, which quote rows of people, into errors that quote none."""
        try:
            yield
        except (zipfile.BadZipFile, zlib.error, EOFError):
            raise DamagedFile(f"{self._name}: the archive is truncated or damaged") from None
        except NotImplementedError:
            raise UserError(f"{self._name}: unzip it first: its compression is unusual") from None
        except pa.ArrowInvalid:
            raise DamagedFile(f"{self._name}: {self.damage}") from None
        except MemoryError:
            raise DamagedFile(f"{self._name} takes more memory than a stock file") from None
        except OSError as error:
            raise UserError(f"cannot read {self._name}: {error.strerror or 'damaged'}") from None
