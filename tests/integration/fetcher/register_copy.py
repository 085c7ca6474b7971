"""A copy of the simulator's register, with its planner, walker and writer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text

from services.fetcher.certificates.certifier import Certifier
from services.fetcher.certificates.store import CertificateStore
from services.fetcher.certificates.stored_rows import StoredRows
from services.writer.store import write_slice
from shared.imports.orders import order_delta
from shared.imports.scope import Scope
from shared.imports.treatments import COLLECTIONS
from shared.imports.watermarks import read_watermarks
from tests.integration.fetcher.conftest import Fetcher, Insee

# The date in /informations of the simulator until a later day is published.
FIRST_DAY = datetime(2026, 8, 5, 0, 5, 52, 648000)  # noqa: DTZ001  as INSEE's own

NEXT_DAY = "2026-08-06"


def end_of(day: str) -> datetime:
    """Return the last treatment of a day, as the simulator publishes it."""
    return datetime.fromisoformat(f"{day}T00:05:52.648")


def both(date: datetime) -> dict[str, datetime]:
    """Return the watermarks of two collections that are complete up to the same date."""
    return dict.fromkeys(COLLECTIONS, date)


@dataclass
class Copy:
    insee: Insee
    fetcher: Fetcher

    def import_everything(self) -> int:
        run_id = self.fetcher.order(Scope())
        self.work_off()
        return run_id

    def delta(self, **order: Any) -> int:
        """Order a delta and carry it out."""
        run_id = self.order(**order)
        self.work_off()
        return run_id

    def order(self, **order: Any) -> int:
        with self.fetcher.engine.begin() as connection:
            return order_delta(connection, **order)

    def work_off(self) -> None:
        """Plan, walk and write until nothing is left to do, or the rest waits."""
        while True:
            self.fetcher.planner.turn()
            if not self.fetcher.outbox.pages:
                # The next turn, a second later, sees the windows that this one completed.
                self.fetcher.store.settle_windows()
                return
            self.fetcher.walk_to_the_end()
            self.write()

    def write(self) -> None:
        slices = self.fetcher.outbox.slices
        while slices:
            write_slice(self.fetcher.engine, slices.pop(0), sole_traders=False)

    def surplus(self, scope: Scope) -> list[str]:
        """Compare the sirets of the scope with INSEE's list; return those that it lacks."""
        certifier = Certifier(
            store=CertificateStore(self.fetcher.engine),
            rows=StoredRows(self.fetcher.engine),
            inquirer=self.fetcher.inquirer,
            rows_per_page=1000,
            per_minute=6000,
            say=lambda _line: None,
            show=lambda _listed, _expected: None,
        )
        return list(certifier.certify([scope], "sirets").surplus.kept)

    def watermarks(self) -> dict[str, datetime]:
        with self.fetcher.engine.connect() as connection:
            return {name: each.treated_until for name, each in read_watermarks(connection).items()}

    def rows(self, query: str, **parameters: object) -> list[RowMapping]:
        with self.fetcher.engine.begin() as connection:
            result = connection.execute(text(query), parameters)
            return list(result.mappings()) if result.returns_rows else []

    def one(self, query: str, **parameters: object) -> Any:
        [row] = self.rows(query, **parameters)
        [value] = row.values()
        return value

    def some_sirets(self, number: int) -> list[str]:
        """Return open, diffusible sirets that lie in no overlap: no delta asks for them."""
        query = """SELECT siret FROM etablissements e
          WHERE etat_administratif = 'A' AND statut_diffusion = 'O'
            AND date_dernier_traitement < '2026-01-01' ORDER BY siret LIMIT :number"""
        return [row["siret"] for row in self.rows(query, number=number)]

    def run(self, run_id: int) -> RowMapping:
        [row] = self.rows("SELECT * FROM import_runs WHERE id = :id", id=run_id)
        return row

    def batches(self, run_id: int) -> list[RowMapping]:
        return self.rows("SELECT * FROM import_batches WHERE run_id = :id ORDER BY id", id=run_id)

    def counted(self, run_id: int) -> RowMapping:
        [row] = self.rows(
            """SELECT coalesce(sum(received), 0)::int AS received,
                 coalesce(sum(inserted), 0)::int AS inserted,
                 coalesce(sum(updated), 0)::int AS updated,
                 coalesce(sum(unchanged), 0)::int AS unchanged
               FROM import_batches WHERE run_id = :id""",
            id=run_id,
        )
        return row
