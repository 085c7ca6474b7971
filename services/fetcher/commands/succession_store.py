"""Links of succession, the third collection of INSEE, in PostgreSQL."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Engine, text

from shared.sirene.identifiers import is_siret
from shared.sirene.values import MappingError, boolean, date, instant, json_object, text_of

_STORE = text("""
    INSERT INTO successions AS s (siret_predecesseur, siret_successeur, date_lien_succession,
      transfert_siege, continuite_economique, date_dernier_traitement)
    SELECT siret_predecesseur, siret_successeur, date_lien_succession, transfert_siege,
      continuite_economique, date_dernier_traitement
    FROM json_to_recordset(CAST(:links AS json)) AS n (siret_predecesseur text,
      siret_successeur text, date_lien_succession date, transfert_siege boolean,
      continuite_economique boolean, date_dernier_traitement timestamp)
    ORDER BY siret_predecesseur, siret_successeur, date_lien_succession
    ON CONFLICT (siret_predecesseur, siret_successeur, date_lien_succession) DO UPDATE SET
      transfert_siege = excluded.transfert_siege,
      continuite_economique = excluded.continuite_economique,
      date_dernier_traitement = excluded.date_dernier_traitement
    WHERE coalesce(s.date_dernier_traitement, '-infinity')
      <= coalesce(excluded.date_dernier_traitement, '-infinity')
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LienSuccession:
    siret_predecesseur: str
    siret_successeur: str
    date_lien_succession: dt.date
    transfert_siege: bool | None
    continuite_economique: bool | None
    date_dernier_traitement: dt.datetime | None

    @property
    def key(self) -> tuple[object, ...]:
        return self.siret_predecesseur, self.siret_successeur, self.date_lien_succession


def _map_link(record: object) -> LienSuccession:
    """Map a record. Raises MappingError where it lacks a siret or the date: they identify it."""
    block = json_object(record, "lienSuccession")
    before = text_of(block, "siretEtablissementPredecesseur") or ""
    after = text_of(block, "siretEtablissementSuccesseur") or ""
    linked_on = date(block, "dateLienSuccession")
    if not is_siret(before) or not is_siret(after) or linked_on is None:
        raise MappingError("bad_link", "a link lacks a siret or its date")
    return LienSuccession(
        siret_predecesseur=before,
        siret_successeur=after,
        date_lien_succession=linked_on,
        transfert_siege=boolean(block, "transfertSiege"),
        continuite_economique=boolean(block, "continuiteEconomique"),
        date_dernier_traitement=instant(block, "dateDernierTraitementLienSuccession"),
    )


def store_links(engine: Engine, records: Sequence[object]) -> tuple[int, int]:
    """Store a page; of equal links the last one. Return the numbers of links and of bad records."""
    links: dict[tuple[object, ...], LienSuccession] = {}
    bad = 0
    for record in records:
        try:
            link = _map_link(record)
        except MappingError:
            bad += 1
        else:
            links[link.key] = link
    if links:
        with engine.begin() as connection:
            connection.execute(_STORE, {"links": orjson.dumps(list(links.values())).decode()})
    return len(links), bad
