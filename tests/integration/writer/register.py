"""Records of situations that users of the register met; names and numbers are invented."""

import json
from pathlib import Path

from tests.integration.writer.records import Record

_FOLDER = Path(__file__).parents[2] / "fixtures" / "register"


def records_of(name: str) -> list[Record]:
    """Return the records of `tests/fixtures/register/NAME.jsonl`."""
    lines = (_FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]
