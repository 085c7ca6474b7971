"""A small register with pages and an index, and the API served over it."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import requests
from sqlalchemy import Engine, insert, text

from services.portal.index import prefixes, rebuild
from shared.db.tables import etablissements, pro_localisations, unites_legales
from shared.metrics import Metrics
from shared.sharding import route
from shared.sirene.identifiers import has_valid_check_digit
from shared.sirene.pages import page_of
from shared.sirene.records import Etablissement, UniteLegale
from tests.portals import running_portal

_FETCHED_AT = dt.datetime(2026, 8, 5, 12, tzinfo=dt.UTC)
_KEPT = {"content_hash": b"", "fetched_at": _FETCHED_AT}


def siren(number: int) -> str:
    """Return the siren of this rank among those with a right check digit."""
    return next(
        each for digit in range(10) if has_valid_check_digit(each := f"{number:08d}{digit}")
    )


def siret(number: int, rank: int = 1) -> str:
    start = f"{siren(number)}{rank:04d}"
    return next(each for digit in range(10) if has_valid_check_digit(each := f"{start}{digit}"))


class Directory:
    """Units by number; each has a siège, and as many other establishments as it is given."""

    def __init__(self, *shards: Engine) -> None:
        """Write into these databases, the first of which is the control database as well."""
        self.engine = shards[0]
        self.shards = shards

    def add(
        self, number: int, *, ranks: int = 1, unite: dict[str, Any] | None = None, **place: Any
    ) -> str:
        """Insert a unit with its establishments and pages; return its siren."""
        unit = UniteLegale(
            siren=siren(number),
            statut_diffusion="O",
            etat_administratif="A",
            categorie_juridique="5499",
            denomination=f"BOULANGERIE DUPONT {number}",
            nic_siege=siret(number)[9:],
            date_creation=dt.date(2009, 3, 1),
        )
        unit = replace(unit, **(unite or {}))
        with self.shards[route(unit.siren, len(self.shards))].begin() as connection:
            connection.execute(insert(unites_legales).values(**asdict(unit), **_KEPT))
            for rank in range(1, ranks + 1):
                etablissement = self._etablissement(number, rank, **place)
                page = page_of(etablissement, unit)
                assert page is not None
                connection.execute(insert(etablissements).values(**asdict(etablissement), **_KEPT))
                connection.execute(insert(pro_localisations).values(**asdict(page)))
        return unit.siren

    @staticmethod
    def _etablissement(number: int, rank: int, **place: Any) -> Etablissement:
        own = siret(number, rank)
        etablissement = Etablissement(
            siret=own,
            siren=own[:9],
            nic=own[9:],
            statut_diffusion="O",
            etat_administratif="A",
            date_creation=dt.date(2009, 3, 1),
            siege=rank == 1,
            tranche_effectifs="02",
            annee_effectifs="2024",
            activite_principale="10.71C",
            nomenclature_activite_principale="NAFRev2",
            numero_voie="12",
            type_voie="RUE",
            libelle_voie="DES TILLEULS",
            code_postal="33000",
            code_commune="33063",
            libelle_commune="BORDEAUX",
            departement="33",
            region="75",
            coordonnee_lambert_abscisse=417000.0 + 10 * number,
            coordonnee_lambert_ordonnee=6422000.0,
        )
        return replace(etablissement, **place)

    def index(self) -> None:
        for shard in self.shards:
            rebuild.begin(shard)
            while rebuild.step(shard) is not None:
                pass
            prefixes.renew(shard)

    def execute(self, statement: str, **parameters: object) -> None:
        """Execute a statement in each shard."""
        for shard in self.shards:
            with shard.begin() as connection:
                connection.execute(text(statement), parameters)


class Reader:
    """Asks the server, and keeps the connection."""

    def __init__(self, base_url: str, metrics: Metrics | None = None) -> None:
        """`metrics` are those of the server, where it is one of this process."""
        self.base_url = base_url
        self.metrics = metrics
        self._session = requests.Session()
        self._session.trust_env = False

    def get(self, path: str, *, headers: Mapping[str, str] | None = None, **query: Any) -> Any:
        return self._session.get(
            self.base_url + path, params=query, headers=headers, timeout=30, allow_redirects=False
        )

    def send(
        self, method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str]
    ) -> Any:
        return self._session.request(
            method,
            self.base_url + path,
            params=query,
            headers=headers,
            timeout=30,
            allow_redirects=False,
        )

    def json(self, path: str, **query: Any) -> Any:
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def close(self) -> None:
        self._session.close()


@contextmanager
def reading(*urls: str, per_minute: int = 1_000_000) -> Iterator[Reader]:
    """Serve these databases, and read from them; `per_minute` is the limit without a key."""
    with running_portal(*urls, portal_anonymous_per_minute=per_minute) as portal:
        reader = Reader(portal.address, portal.parts.metrics)
        try:
            yield reader
        finally:
            reader.close()
