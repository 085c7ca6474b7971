"""A drill that waits with its databases in hand, until it is stopped or killed."""

import sys
import time
from typing import Any

from services.writer.__main__ import app
from services.writer.restore.loader import Restoration
from shared.terminal.cli import run


def _wait(*_arguments: Any) -> None:
    time.sleep(600)


if __name__ == "__main__":
    Restoration.load = _wait  # type: ignore[method-assign,assignment]
    sys.argv = ["sirenade", "drill"]
    run(app, name="sirenade")
