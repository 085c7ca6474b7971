"""A load in a process of its own, in small steps, so that a test can kill it between two."""

import signal
import sys

from services.writer.stock import command, loader, pages, store
from services.writer.stock.files import csv_rows, sources
from services.writer.stock.loader import StockOptions

STEPS = (
    (store, "_MERGED_BLOCKS", 1),
    (csv_rows, "_BLOCK_BYTES", 8192),
    (sources, "_BUFFER_BYTES", 8192),
    (pages, "_PAGE_ROWS", 10),
)


def main(database_url: str, *places: str) -> None:
    for module, name, value in STEPS:
        setattr(module, name, value)
    if "--hold" in places:
        # All rows are staged; the test kills it here.
        vars(loader)["judge"] = lambda *_, **__: signal.pause()
    if "--processes" in places:
        pages._FEW = 0
    files = [place for place in places if not place.startswith("--")]
    command.load(database_url, files, StockOptions(chunk_rows=50, pages="--pages" in places))


if __name__ == "__main__":
    main(*sys.argv[1:])
