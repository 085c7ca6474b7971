"""A small register as the writer leaves it, and reviewers for it."""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

import pytest
from sqlalchemy import Engine, RowMapping, Table, insert, select, text, update

from services.reviewer.actors import ShardReviewer
from services.reviewer.notices import template
from services.reviewer.notices.template import GeneratedText
from services.reviewer.store import Describe, claim, store
from services.reviewer.texts.attempts import Attempt
from services.reviewer.texts.author import Author
from services.reviewer.texts.rulings import AvisResult, Claim, Fate
from services.reviewer.validation import Verdict
from shared.clock import Clock, utc_now
from shared.db.engine import make_engine
from shared.db.tables import avis, etablissements, oppositions, pro_localisations, unites_legales
from shared.metrics import Metrics
from shared.sirene.facts import Facts, facts_hash
from shared.sirene.pages import avis_outcome, facts_of, page_of
from shared.sirene.records import Etablissement, UniteLegale
from tests.integration.reviewer.reviewers import MakeReviewer

FETCHED_AT = dt.datetime(2026, 8, 5, 12, tzinfo=dt.UTC)


class Register:
    """One establishment for each number: `siren(n)`, its only page, its only avis."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @staticmethod
    def siren(number: int) -> str:
        return f"{number:09d}"

    def add(
        self, numbers: range, *, sole_traders: bool = False, apart: bool = False, **unite: Any
    ) -> list[int]:
        """Insert units, establishments, pages and avis; return the ids of the avis, in order.

        They are neighbours, of one trade in Bordeaux; `apart`, each is in a Bordeaux of its own.
        """
        ids: list[int] = []
        with self.engine.begin() as connection:
            for number in numbers:
                unit, place = self._records(number, **unite)
                if apart:
                    place = replace(place, code_commune=f"{number:05d}")
                page = page_of(place, unit)
                assert page is not None
                kept = {"content_hash": b"", "fetched_at": FETCHED_AT}
                connection.execute(insert(unites_legales).values(**asdict(unit), **kept))
                connection.execute(insert(etablissements).values(**asdict(place), **kept))
                page_id = connection.execute(
                    insert(pro_localisations)
                    .values(**asdict(page))
                    .returning(pro_localisations.c.id)
                ).scalar_one()
                outcome = avis_outcome(
                    place, unit, page.status, sole_traders=sole_traders, opposed=False
                )
                row = {
                    "pro_localisation_id": page_id,
                    "siret": place.siret,
                    "siren": unit.siren,
                    "kind": "notice",
                    "outcome": outcome,
                    "facts_hash": facts_hash(facts_of(place, unit, page)),
                }
                ids.append(
                    connection.execute(insert(avis).values(**row).returning(avis.c.id)).scalar_one()
                )
        return ids

    def _records(self, number: int, **unite: Any) -> tuple[UniteLegale, Etablissement]:
        siren = self.siren(number)
        unit = UniteLegale(
            siren=siren,
            statut_diffusion="O",
            etat_administratif="A",
            categorie_juridique="5499",
            denomination=f"ATELIER DUPONT {number}",
        )
        place = Etablissement(
            siret=f"{siren}00011",
            siren=siren,
            nic="00011",
            statut_diffusion="O",
            etat_administratif="A",
            date_creation=dt.date(2009, 3, 1),
            siege=True,
            tranche_effectifs="02",
            annee_effectifs=f"{utc_now().year - 1}",
            activite_principale="43.32A",
            nomenclature_activite_principale="NAFRev2",
            code_commune="33063",
            libelle_commune="BORDEAUX",
            departement="33",
        )
        return replace(unit, **unite), place

    def change(self, table: Table, siren: str, **values: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(table).where(table.c.siren == siren).values(**values))

    def oppose(self, siren: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(insert(oppositions).values(siren=siren, reason="asked for"))

    def avis(self, avis_id: int) -> RowMapping:
        with self.engine.connect() as connection:
            query = select(avis).where(avis.c.id == avis_id)
            return connection.execute(query).mappings().one()

    def rows(self, query: str) -> list[RowMapping]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(query)).mappings())

    def execute(self, statement: str, **parameters: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), parameters)


@pytest.fixture
def register(engine: Engine) -> Register:
    return Register(engine)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


class Desk:
    """Claims and stores as a reviewer does, one step at a time."""

    prompt_version = "test-1"
    describe: Describe = dict

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def claim(self, ids: list[int], *, lease_seconds: float = 60) -> tuple[Claim, ...]:
        claims, _ = claim(
            self.engine,
            ids,
            lease_seconds=lease_seconds,
            prompt_version=self.prompt_version,
            sole_traders=False,
            describe=self.describe,
        )
        return tuple(claims)

    def store(self, *claims: Claim, reasons: tuple[str, ...] = ()) -> list[Fate]:
        fates = store(
            self.engine, [self.result(one, reasons=reasons) for one in claims], sole_traders=False
        )
        return [fates[one.avis_id] for one in claims]

    def result(self, claimed: Claim, *, reasons: tuple[str, ...] = ()) -> AvisResult:
        attempt = Attempt(
            model="test",
            prompt_version=self.prompt_version,
            digital_source_type="algorithmicMedia",
            text=f"Un texte sur {claimed.facts.nom}.",
            reasons=reasons,
            latency_seconds=0.25,
        )
        return AvisResult(claim=claimed, attempts=(attempt,), label="Notice.")


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


@pytest.fixture
def author(clock: Clock) -> Author:
    """The offline generator under a validator that finds nothing wrong."""
    return Author(lambda *_: Verdict(), clock)


@pytest.fixture
def make_reviewer(
    database_url: str, clock: Clock, metrics: Metrics, author: Author
) -> Iterator[MakeReviewer]:
    """Reviewers with an engine of their own, of two connections, and no validator unless given."""
    reviewers: list[ShardReviewer] = []

    def make(
        generate: Callable[[Facts, int], GeneratedText] = template.generate,
        *,
        generators: int = 4,
        lease_seconds: float = 60,
        author: Author = author,
    ) -> ShardReviewer:
        reviewers.append(
            ShardReviewer(
                engine=make_engine(database_url, application_name=f"reviewer-{len(reviewers)}"),
                generators=ThreadPoolExecutor(generators),
                author=replace(author, generate=generate),
                clock=clock,
                metrics=metrics,
                lease_seconds=lease_seconds,
                sole_traders=False,
            )
        )
        return reviewers[-1]

    yield make
    for reviewer in reviewers:
        reviewer.generators.shutdown()
        reviewer.engine.dispose()
