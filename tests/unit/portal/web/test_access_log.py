import datetime as dt
import json
from pathlib import Path

import pytest

from services.portal.web.access_log import Access, AccessLog, shortened

_ACCESS = Access("page", "GET", 200, 1.5, 9_000, "203.0.113.77")


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:1234:5678::1", "2001:db8:1234::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("unix", None),
        (None, None),
    ],
)
def test_an_address_is_shortened_to_its_network(address: str | None, kept: str | None) -> None:
    assert shortened(address) == kept


def test_a_line_names_the_route_and_neither_path_nor_address(tmp_path: Path) -> None:
    now = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
    AccessLog(tmp_path, days=14, now=lambda: now).add(_ACCESS)
    [line] = (tmp_path / "access-2026-11-30.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "timestamp": "2026-11-30T12:00:00+00:00",
        "route": "page",
        "method": "GET",
        "status": 200,
        "milliseconds": 1.5,
        "body_bytes": 9_000,
        "client": "203.0.113.0",
    }


def test_files_end_after_their_days(tmp_path: Path) -> None:
    now = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    log = AccessLog(tmp_path, days=3, now=lambda: now)
    for _ in range(6):
        log.add(_ACCESS)
        now += dt.timedelta(days=1)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"access-2026-11-0{day}.jsonl" for day in (4, 5, 6)]


def test_a_folder_that_is_away_costs_lines_and_no_answers(tmp_path: Path) -> None:
    log = AccessLog(tmp_path / "away", days=3)
    log.add(_ACCESS)
    log.add(_ACCESS)
    assert list(tmp_path.iterdir()) == []
