"""Writes numbered events to a service's log file, as one of several replicas: see test_log_files.

Arguments: the folder, this one's number, how many lines, the size of a file, how many are kept.
"""

import functools
import os
import sys
from pathlib import Path

import structlog

from shared.logs import LogFile, configure_logs, setup


def main() -> None:
    directory, writer, lines, file_bytes, closed = sys.argv[1:]
    small = functools.partial(LogFile, file_bytes=int(file_bytes), closed=int(closed))
    setup.__dict__["LogFile"] = small
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        configure_logs("writer", stream=nowhere, directory=Path(directory))
        log = structlog.get_logger()
        for number in range(int(lines)):
            log.info("line", writer=int(writer), number=number)


if __name__ == "__main__":
    main()
