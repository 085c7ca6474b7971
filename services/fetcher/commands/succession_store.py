"""Links of succession in PostgreSQL."""

from collections.abc import Sequence

import orjson
from sqlalchemy import Engine, text

from services.fetcher.insee.successions import LienSuccession, map_lien_succession
from shared.sirene.values import MappingError

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


def store_links(engine: Engine, records: Sequence[object]) -> tuple[int, int]:
    """Store a page; of equal links the last one. Return the numbers of links and of bad records."""
    links: dict[tuple[object, ...], LienSuccession] = {}
    bad = 0
    for record in records:
        try:
            link = map_lien_succession(record)
        except MappingError:
            bad += 1
        else:
            links[link.key] = link
    if links:
        with engine.begin() as connection:
            connection.execute(_STORE, {"links": orjson.dumps(list(links.values())).decode()})
    return len(links), bad
