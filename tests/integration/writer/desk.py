"""An import as the fetcher leaves it, and slices that are written from it."""

import datetime as dt
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, text

from services.fetcher.walk.slices import slice_of
from services.writer.store import SliceResult, SliceStatus, write_slice
from shared.db.engine import make_engine
from shared.messages import WriteSlice
from shared.sharding import SHARD_TABLES, route
from shared.sirene.identifiers import is_siret, siren_of
from tests.integration.writer.records import Record

ShardUrls = tuple[str, ...]
FETCHED_AT = dt.datetime(2026, 8, 5, 12, tzinfo=dt.UTC)
_BY_WEIGHT = (
    SliceStatus.SUPERSEDED,
    SliceStatus.CANCELLED,
    SliceStatus.WRITTEN,
    SliceStatus.ALREADY_WRITTEN,
)
# These queries concern each database, whatever tables they name.
_EVERYWHERE = re.compile(r"pg_stat_activity|CREATE FUNCTION|pg_advisory_\w+lock\(|current_database")
_OF_SHARDS = re.compile(rf"\b({'|'.join(sorted(SHARD_TABLES))}|away)\b")
_ORDER = re.compile(r"ORDER BY ([\w, ]+?)\s*$")


class Desk:
    """The fetcher's tables, and slices written from them.

    With several shards, a slice of a test becomes one slice for each shard, and a query of the
    register runs in each shard; the results are put together.
    """

    def __init__(self, engine: Engine, shards: Sequence[Engine] = ()) -> None:
        self.engine = engine
        self.shards = tuple(shards) or (engine,)
        self._fetch_ids = itertools.count(1)

    # ── The work of the fetcher ──

    def run(self) -> int:
        return int(
            self.execute("INSERT INTO import_runs (status) VALUES ('running') RETURNING id")[0][
                "id"
            ]
        )

    def batch(
        self,
        run_id: int | None = None,
        *,
        number: int = 1,
        departement: str | None = "33",
        code_commune: str | None = None,
        activite_principale: str | None = None,
        etat_administratif: str | None = None,
        siret_from: str | None = None,
        siret_to: str | None = None,
        sirets: Sequence[str] | None = None,
        row_limit: int | None = None,
    ) -> int:
        rows = self.execute(
            """
            INSERT INTO import_batches
              (run_id, number, query, departement, code_commune, activite_principale,
               etat_administratif, siret_from, siret_to, sirets, row_limit, status)
            VALUES (:run, :number, 'q', :departement, :commune, :activite, :etat, :siret_from,
              :siret_to, :sirets, :row_limit, 'running')
            RETURNING id
            """,
            activite=activite_principale,
            etat=etat_administratif,
            siret_from=siret_from,
            siret_to=siret_to,
            sirets=sirets,
            run=run_id or self.run(),
            number=number,
            departement=departement,
            commune=code_commune,
            row_limit=row_limit,
        )
        return int(rows[0]["id"])

    def fetch(self, batch: int, page: int = 1, *, slices: int = 1, is_last: bool = True) -> int:
        """Fetch a page: a new GET that counts from now on. Returns its fetch_id."""
        fetch_id = next(self._fetch_ids)
        self.execute(
            """
            UPDATE import_batches SET received = received - (
              SELECT coalesce(sum(r.records), 0) FROM slice_receipts r
              JOIN import_pages p ON p.batch_id = r.batch_id AND p.number = r.page
                AND p.fetch_id = r.fetch_id
              WHERE r.batch_id = :batch AND r.page = :page)
            WHERE id = :batch
            """,
            batch=batch,
            page=page,
        )
        self.execute(
            """
            INSERT INTO import_pages (batch_id, number, cursor, fetch_id, slices_expected, is_last)
            VALUES (:batch, :page, '*', :fetch_id, :slices, :is_last)
            ON CONFLICT (batch_id, number) DO UPDATE SET fetch_id = excluded.fetch_id,
              slices_expected = excluded.slices_expected, slices_done = 0,
              is_last = excluded.is_last
            """,
            batch=batch,
            page=page,
            fetch_id=fetch_id,
            slices=slices * len(self.shards),
            is_last=is_last,
        )
        return fetch_id

    # ── Messages for the writer ──

    def message(
        self,
        records: Sequence[object],
        *,
        batch: int,
        fetch_id: int,
        page: int = 1,
        number: int = 0,
        fetched_at: dt.datetime = FETCHED_AT,
    ) -> WriteSlice:
        return _with_records(
            WriteSlice(batch, page, fetch_id, number, fetched_at.isoformat(), ""), records
        )

    def parts(self, message: WriteSlice) -> list[WriteSlice]:
        """Return the slice as the fetcher cuts it, and an empty one for each other shard."""
        shards = len(self.shards)
        try:
            records = json.loads(message.records)
        except (ValueError, RecursionError):
            return [message]
        if shards == 1 or not isinstance(records, list):
            return [message]
        parts = [
            _with_records(
                replace(message, slice=message.slice * shards + shard, shard=shard),
                [each for each in records if self.shard_of(each) == shard],
            )
            for shard in range(shards)
        ]
        return sorted(parts, key=lambda part: part.records == "[]")

    def shard_of(self, record: object) -> int:
        siret = record.get("siret") if isinstance(record, dict) else None
        if not isinstance(siret, str) or not is_siret(siret):
            return 0
        return route(siren_of(siret), len(self.shards))

    def home_of(self, record: Record) -> Engine:
        return self.shards[self.shard_of(record)]

    def write(self, message: WriteSlice, *, sole_traders: bool = False) -> SliceResult:
        parts = self.parts(message)
        results = [self.write_part(part, sole_traders=sole_traders) for part in parts]
        # The result of an empty part counts only where the whole slice is empty.
        full = [r for part, r in zip(parts, results, strict=True) if part.records != "[]"]
        completed = any(result.batch_completed for result in results)
        return replace(_together(full or results), batch_completed=completed)

    def write_part(self, part: WriteSlice, *, sole_traders: bool = False) -> SliceResult:
        return write_slice(self.engine, part, sole_traders=sole_traders, shards=self.shards)

    def import_(
        self,
        *records: object,
        fetched_at: dt.datetime = FETCHED_AT,
        sole_traders: bool = False,
        **batch: Any,
    ) -> SliceResult:
        """Write the records as the only slice of a batch of their own."""
        batch_id = self.batch(**batch)
        fetch_id = self.fetch(batch_id)
        message = self.message(records, batch=batch_id, fetch_id=fetch_id, fetched_at=fetched_at)
        return self.write(message, sole_traders=sole_traders)

    # ── Queries for the assertions ──

    def execute(self, statement: str, **parameters: object) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for engine in self._databases_of(statement, parameters):
            with engine.begin() as connection:
                result = connection.execute(text(statement), parameters)
                rows += [row._asdict() for row in result] if result.returns_rows else []
        ordered = _ORDER.search(statement)
        names = ordered[1].split(", ") if ordered else []
        if rows and set(names) <= rows[0].keys():
            rows.sort(key=lambda row: [row[name] for name in names])
        return rows

    def _databases_of(self, statement: str, parameters: Mapping[str, object]) -> list[Engine]:
        if isinstance(siren := parameters.get("siren"), str):
            return [self.shards[route(siren, len(self.shards))]]
        for name in ("siret", "key"):
            if name in parameters:
                return [self.home_of({"siret": parameters[name]})]
        if _EVERYWHERE.search(statement):
            return list(dict.fromkeys((self.engine, *self.shards)))
        return list(self.shards) if _OF_SHARDS.search(statement) else [self.engine]

    def one(self, statement: str, **parameters: object) -> dict[str, Any]:
        """Return the only row, or the sums over the shards."""
        row, *others = self.execute(statement, **parameters)
        found = {str(name): value for name, value in row.items()}
        for other in others:
            assert all(type(value) is int for value in other.values()), "rows of two shards"
            found = {name: value + other[name] for name, value in found.items()}
        return found

    def number(self, table: str) -> int:
        return int(self.one(f"SELECT count(*) AS n FROM {table}")["n"])

    def sirets(self) -> list[str]:
        rows = self.execute("SELECT siret FROM etablissements ORDER BY siret")
        return [row["siret"] for row in rows]

    def batch_row(self, batch: int) -> dict[str, Any]:
        return self.one("SELECT * FROM import_batches WHERE id = :id", id=batch)


def _with_records(message: WriteSlice, records: Sequence[object]) -> WriteSlice:
    """Return the records as the fetcher sends them; orjson can write each of them."""
    if not records:
        return replace(message, records="[]")
    try:
        cut = slice_of(records)
    except TypeError:
        return replace(message, records=json.dumps(list(records)))
    return replace(message, records=cut.records, digests=cut.digests)


def _together(parts: Sequence[SliceResult]) -> SliceResult:
    """Return the result of a whole slice; superseded where one of its parts was."""
    statuses = [part.status for part in parts]
    return SliceResult(
        next(status for status in _BY_WEIGHT if status in statuses),
        records=sum(part.records for part in parts),
        inserted=sum(part.inserted for part in parts),
        updated=sum(part.updated for part in parts),
        unchanged=sum(part.unchanged for part in parts),
        failed=sum(part.failed for part in parts),
        unknown_keys=frozenset().union(*(part.unknown_keys for part in parts)),
        unknown_codes=frozenset().union(*(part.unknown_codes for part in parts)),
    )


@contextmanager
def desk_on(control: Engine, urls: ShardUrls) -> Iterator[Desk]:
    """Return a desk on the databases of a register; the first one is the control database."""
    others = [make_engine(url, application_name="tests", pool_size=8) for url in urls[1:]]
    yield Desk(control, [control, *others])
    for shard in others:
        shard.dispose()
