"""From a certificate or a statement that differs to an import of just what differs."""

import math
from dataclasses import dataclass

from sqlalchemy import Engine

from services.fetcher.certificates import CertificateStore
from services.fetcher.store import ImportStore
from services.fetcher.windows import SIRETS_PER_WINDOW, Scope
from shared.errors import UserError
from shared.progress import run_exists
from shared.statement import Subject, read_sirets


@dataclass(frozen=True)
class Order:
    """What was asked for; no run where nothing differs. `left`: known to differ, not by number."""

    subject: str
    run_id: int | None = None
    sirets: int = 0
    left: int = 0

    @property
    def requests(self) -> int:
        return math.ceil(self.sirets / SIRETS_PER_WINDOW)


def order_repair(engine: Engine, *, certificate_id: int | None, of_run: int | None) -> Order:
    """Ask for it once: raises UserError where a run of the same certificate is under way."""
    if of_run is None:
        return _of_certificate(engine, certificate_id)
    if certificate_id is not None:
        raise UserError("say --certificate or --run, not both")
    with engine.connect() as connection:
        if not run_exists(connection, of_run):
            raise UserError(f"there is no run {of_run}")
        sets = read_sirets(connection, Subject(run_id=of_run))
    return _ordered(engine, f"run {of_run}", [*sets["missing"], *sets["surplus"]])


def _of_certificate(engine: Engine, certificate_id: int | None) -> Order:
    store = CertificateStore(engine)
    found = store.read(certificate_id)
    if found is None and certificate_id is None:
        raise UserError("there is no certificate yet: ./sirenade certify --departement 33")
    if found is None:
        raise UserError(f"there is no certificate {certificate_id}")
    if found.status in {"running", "void"}:
        raise UserError(
            f"certificate {found.id} compares nothing, it is {found.status}: certify again"
        )
    if found.is_under_repair:
        raise UserError(f"run {found.repair_run_id} repairs certificate {found.id} already")
    sirets = [*(found.missing_sirets or ()), *(found.surplus_sirets or ())]
    left = max(0, found.missing + found.surplus - len(sirets))
    order = _ordered(engine, f"certificate {found.id}", sirets, left=left)
    if order.run_id is not None:
        store.repaired_by(found.id, order.run_id)
    return order


def _ordered(engine: Engine, subject: str, sirets: list[str], *, left: int = 0) -> Order:
    if not sirets:
        return Order(subject, left=left)
    wanted = sorted(set(sirets))
    run_id = ImportStore(engine).request_run(Scope(sirets=wanted), row_limit=None)
    return Order(subject, run_id, len(wanted), left)
