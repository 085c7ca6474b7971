"""Units, establishments and what follows from them, written from mapped records."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from sqlalchemy import Connection

from services.writer.copying import copy_into, copy_line
from services.writer.merging import content_hash, newest_by_key
from services.writer.pages import renew_pages
from services.writer.statements import (
    ETABLISSEMENT_FIELDS,
    LOCK_UNITES,
    STAMPS,
    UNITE_FIELDS,
    UPSERT_ETABLISSEMENTS,
    UPSERT_UNITES,
)
from services.writer.tombstones import BURY, HIDE, SHARE_REGISTER
from shared.sirene.mapper import MappedRecord

_UNITE_VALUES = attrgetter(*UNITE_FIELDS)
_ETABLISSEMENT_VALUES = attrgetter(*ETABLISSEMENT_FIELDS)


@dataclass(frozen=True, slots=True)
class Written:
    """Establishments that were new and establishments that changed."""

    inserted: int = 0
    updated: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(self.inserted + other.inserted, self.updated + other.updated)


def write_records(
    connection: Connection,
    records: Sequence[MappedRecord],
    *,
    fetched_at: dt.datetime,
    sole_traders: bool,
) -> Written:
    """Write records of one GET; the number of statements does not depend on how many they are.

    `statements.CREATE_NEW` has run in this transaction and its tables are empty.
    Raises psycopg2's own errors (COPY) and SQLAlchemy's.
    """
    unites = newest_by_key((r.unite for r in records), attrgetter("siren"), fetched_at)
    etablissements = newest_by_key(
        (r.etablissement for r in records), attrgetter("siret"), fetched_at
    )
    lines = _stamped(map(_UNITE_VALUES, unites), fetched_at)
    copy_into(connection, "new_unites", UNITE_FIELDS + STAMPS, lines)
    lines = _stamped(map(_ETABLISSEMENT_VALUES, etablissements), fetched_at)
    copy_into(connection, "new_etablissements", ETABLISSEMENT_FIELDS + STAMPS, lines)
    for statement in (SHARE_REGISTER, LOCK_UNITES, HIDE, BURY):
        connection.execute(statement)
    sirens = [row.key for row in connection.execute(UPSERT_UNITES)]
    changed = connection.execute(UPSERT_ETABLISSEMENTS).all()
    renew_pages(
        connection,
        sirets=[row.key for row in changed],
        sirens=sirens,
        sole_traders=sole_traders,
    )
    inserted = sum(row.inserted for row in changed)
    return Written(inserted=inserted, updated=len(changed) - inserted)


def _stamped(rows: Iterable[tuple[object, ...]], fetched_at: dt.datetime) -> Iterable[str]:
    for values in rows:
        line = copy_line(values)
        yield f"{line}\t{copy_line((content_hash(line), fetched_at))}"
