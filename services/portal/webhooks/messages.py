"""A message: some changes behind a place of the log, as the feed of changes tells them."""

from collections.abc import Collection
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, text

from shared import page_changes
from shared.page_changes import ChangeKind, Cursor, PageChange

MOST_CHANGES = 500

# The pages are read after the log: a name that an erasure has taken since is not told.
_PAGES = text("""
    SELECT p.id, e.departement,
      p.nom IS NOT NULL AND e.statut_diffusion = 'O' AND u.statut_diffusion = 'O' AS is_shown
    FROM pro_localisations p JOIN etablissements e ON e.siret = p.siret
      JOIN unites_legales u ON u.siren = p.siren
    WHERE p.id = ANY(:ids)
""")


class Interest(NamedTuple):
    """The changes that a receiver wants to be told; empty: all. Erasures are told to everybody."""

    kinds: Collection[str]
    departements: Collection[str]


class Message(NamedTuple):
    """`changes` of the rows of the log are told; `next` is the place behind the rows."""

    rows: int
    changes: int
    next: Cursor
    body: bytes


def read_message(connection: Connection, after: Cursor, rows: int, interest: Interest) -> Message:
    """Read the message of the next `rows` at most. Raises CursorLost."""
    found = page_changes.read(connection, after, rows)
    ids = [row.pro_localisation_id for row in found.rows]
    pages = {row.id: row for row in connection.execute(_PAGES, {"ids": ids})} if ids else {}
    told = []
    for change in found.rows:
        page = pages.get(change.pro_localisation_id)
        if change.kind is ChangeKind.ERASED:
            told.append(_told(change, None))
        elif page is not None and page.is_shown and _is_wanted(change, page.departement, interest):
            # Its slug would be a name, which a receiver's log keeps: the number leads there.
            told.append(_told(change, f"/pages/{change.siret}"))
    body = orjson.dumps({"type": "pages.changed", "changements": told})
    return Message(len(found.rows), len(told), found.next, body)


def _is_wanted(change: PageChange, departement: str | None, interest: Interest) -> bool:
    of_kind = not interest.kinds or change.kind.value in interest.kinds
    return of_kind and (not interest.departements or departement in interest.departements)


def _told(change: PageChange, page: str | None) -> dict[str, str | None]:
    """Return a change; an erased page has no address."""
    return {
        "id": str(change.cursor),
        "genre": change.kind.value,
        "siret": change.siret,
        "change_le": change.changed_at.isoformat(),
        "page": page,
    }
