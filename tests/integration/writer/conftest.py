"""An import as the fetcher would leave it, and records to write into it."""

import copy
import datetime as dt
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, RowMapping, text

from services.writer.store import SliceResult, write_slice
from shared.db.engine import make_engine
from shared.messages import WriteSlice

Record = dict[str, Any]

_RECORDED = Path(__file__).parents[2] / "fixtures" / "insee"
FETCHED_AT = dt.datetime(2026, 8, 5, 12, tzinfo=dt.UTC)


class Desk:
    """The fetcher's tables, and slices written from them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._fetch_ids = itertools.count(1)

    # ── What the fetcher does ──

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
            slices=slices,
            is_last=is_last,
        )
        return fetch_id

    # ── What the writer is given ──

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
        return WriteSlice(
            batch_id=batch,
            page=page,
            fetch_id=fetch_id,
            slice=number,
            fetched_at=fetched_at.isoformat(),
            records=json.dumps(list(records)),
        )

    def write(self, message: WriteSlice, *, sole_traders: bool = False) -> SliceResult:
        return write_slice(self.engine, message, sole_traders=sole_traders)

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

    # ── What is found afterwards ──

    def execute(self, statement: str, **parameters: object) -> list[RowMapping]:
        with self.engine.begin() as connection:
            result = connection.execute(text(statement), parameters)
            return list(result.mappings()) if result.returns_rows else []

    def one(self, statement: str, **parameters: object) -> dict[str, Any]:
        (row,) = self.execute(statement, **parameters)
        return {str(name): value for name, value in row.items()}

    def number(self, table: str) -> int:
        return int(self.one(f"SELECT count(*) AS n FROM {table}")["n"])  # noqa: S608  a test's own table

    def sirets(self) -> list[str]:
        rows = self.execute("SELECT siret FROM etablissements ORDER BY siret")
        return [row["siret"] for row in rows]

    def batch_row(self, batch: int) -> dict[str, Any]:
        return self.one("SELECT * FROM import_batches WHERE id = :id", id=batch)


class Records:
    """Records of the present shape, made from a recorded one."""

    def __init__(self) -> None:
        lines = (_RECORDED / "etablissements.jsonl").read_text(encoding="utf-8").splitlines()
        self.recorded: list[Record] = [json.loads(line) for line in lines]
        self._model = next(r for r in self.recorded if r["siret"] == "30613890002979")

    def record(
        self,
        number: int = 1,
        *,
        siren: str | None = None,
        enseigne: str | None = None,
        treated: str | None = "2026-01-01T00:00:00",
        etat: str = "A",
        commune: str | None = "33063",
        activite: str | None = "10.71C",
        statut: str = "O",
        unite: Record | None = None,
    ) -> Record:
        record = copy.deepcopy(self._model)
        siren = siren or f"{number:09d}"
        record |= {
            "siren": siren,
            "nic": f"{number % 100_000:05d}",
            "siret": f"{siren}{number % 100_000:05d}",
            "statutDiffusionEtablissement": statut,
            "dateDernierTraitementEtablissement": treated,
        }
        record["uniteLegale"] |= {
            "statutDiffusionUniteLegale": "O",
            "categorieJuridiqueUniteLegale": "5499",
            "denominationUniteLegale": f"ATELIER {siren}",
            "denominationUsuelle1UniteLegale": None,
            "sigleUniteLegale": None,
            "dateDernierTraitementUniteLegale": treated,
            **(unite or {}),
        }
        record["adresseEtablissement"]["codeCommuneEtablissement"] = commune
        record["periodesEtablissement"] = [
            record["periodesEtablissement"][0]
            | {
                "dateFin": None,
                "etatAdministratifEtablissement": etat,
                "activitePrincipaleEtablissement": activite,
                "nomenclatureActivitePrincipaleEtablissement": "NAFRev2",
                "enseigne1Etablissement": enseigne,
                "denominationUsuelleEtablissement": None,
            }
        ]
        return record


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, application_name="tests-writer", pool_size=8)
    yield engine
    engine.dispose()


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


@pytest.fixture(scope="session")
def records() -> Records:
    return Records()
