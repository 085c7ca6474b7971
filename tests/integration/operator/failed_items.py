"""Failed items, and rows that wait for their next attempt."""

from tests.integration.reviewer.conftest import Desk as ReviewersDesk
from tests.integration.reviewer.conftest import Register
from tests.integration.writer.desk import Desk


def add_item(desk: Desk, **values: object) -> int:
    row = {"kind": "write", "key": "7/1/0/3", "siren": None, "code": "no_siret"} | values
    return int(
        desk.one(
            """
            INSERT INTO failed_items (kind, key, siren, code, message)
            VALUES (:kind, :key, :siren, :code, 'said') RETURNING id
            """,
            **row,
        )["id"]
    )


def add_rejected(register: Register, desk: ReviewersDesk, numbers: range) -> list[int]:
    """Add avis that the reviewer rejected, each with its open item."""
    ids = register.add(numbers)
    desk.store(*desk.claim(ids), reasons=("too_short",))
    return ids


def open_items(desk: Desk) -> list[int]:
    return [
        row["id"]
        for row in desk.execute("SELECT id FROM failed_items WHERE resolved_at IS NULL ORDER BY id")
    ]


def hours_to_next(desk: Desk) -> list[float]:
    rows = desk.execute(
        """
        SELECT round(extract(epoch FROM next_attempt_at - now()) / 3600)::float AS hours
        FROM failed_items WHERE resolved_at IS NULL ORDER BY id
        """
    )
    return [row["hours"] for row in rows]
