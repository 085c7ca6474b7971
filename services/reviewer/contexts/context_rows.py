"""The rows of which contexts are made, read for many establishments at once."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Row, text

from services.reviewer.contexts.histories import Period
from shared.days import TIME_ZONE
from shared.sirene.commune_names import commune_name
from shared.sirene.context import Sites, Succession
from shared.sirene.identifiers import NOBODY, siren_of
from shared.sirene.records import OPEN_TO_ALL, SOLE_TRADER
from shared.sirene.streets import street_of

_SITES = text("""
    SELECT siren, count(*) FILTER (WHERE etat_administratif = 'A') AS open,
      count(*) FILTER (WHERE etat_administratif = 'F') AS closed,
      count(DISTINCT code_commune) FILTER (WHERE etat_administratif = 'A') AS communes
    FROM etablissements WHERE siren = ANY(CAST(:sirens AS text[])) GROUP BY siren
""")
_PERIODS = text(f"""
    SELECT siret, {", ".join(name for name in Period._fields if name != "code_commune")}
    FROM periodes_etablissements
    WHERE siret = ANY(CAST(:sirets AS text[])) ORDER BY siret, rang
""")
_LINKS = text(f"""
    SELECT siret_successeur AS siret, siret_predecesseur AS other, true AS is_predecessor,
      date_lien_succession AS day, transfert_siege, continuite_economique
    FROM successions WHERE siret_successeur = ANY(CAST(:sirets AS text[]))
      AND date_lien_succession <= (now() AT TIME ZONE '{TIME_ZONE}')::date
    UNION ALL
    SELECT siret_predecesseur, siret_successeur, false,
      date_lien_succession, transfert_siege, continuite_economique
    FROM successions WHERE siret_predecesseur = ANY(CAST(:sirets AS text[]))
      AND date_lien_succession <= (now() AT TIME ZONE '{TIME_ZONE}')::date
    ORDER BY day DESC, other
""")
_OTHERS = text("""
    SELECT e.siret, u.categorie_juridique, e.numero_voie, e.indice_repetition, e.type_voie,
      e.libelle_voie, e.code_commune, e.libelle_commune,
      extract(year FROM e.date_dernier_traitement)::int AS treated_in
    FROM etablissements e JOIN unites_legales u USING (siren)
    WHERE e.siret = ANY(CAST(:sirets AS text[]))
      AND e.statut_diffusion = :open_to_all AND u.statut_diffusion = :open_to_all
      AND NOT u.unite_purgee
      AND NOT EXISTS (SELECT FROM oppositions o WHERE o.siren = e.siren)
""")
_MOST_LINKS = 3
_PERSONS = frozenset({SOLE_TRADER, None})


@dataclass(frozen=True, slots=True)
class Links:
    """The predecessors and successors of an establishment, the newest first."""

    predecessors: list[Succession] = field(default_factory=list)
    successors: list[Succession] = field(default_factory=list)


def read_sites(shard: Connection, sirens: Sequence[str], month: dt.date | None) -> dict[str, Sites]:
    """Return the sites of those units that are in this shard; none where no month is complete."""
    if month is None or not sirens:
        return {}
    rows = shard.execute(_SITES, {"sirens": sirens})
    return {
        row.siren: Sites(open=row.open, closed=row.closed, communes=row.communes, month=month)
        for row in rows
    }


def read_periods(shard: Connection, sirets: Sequence[str]) -> Mapping[str, list[Period]]:
    """Return the periods of those establishments that are in this shard, the oldest first."""
    found: dict[str, list[Period]] = defaultdict(list)
    for siret, *values in shard.execute(_PERIODS, {"sirets": sirets}):
        found[siret].append(Period(*values))
    return found


def read_links(
    control: Connection, shards: Sequence[Connection], sirets: Sequence[str]
) -> Mapping[str, Links]:
    """Return the links of these establishments with others that may be named.

    One that is masked, objects, is a person or is not stored is not named.
    """
    rows = control.execute(_LINKS, {"sirets": sirets}).all()
    asked = {"sirets": sorted({row.other for row in rows}), "open_to_all": OPEN_TO_ALL}
    asking = shards if rows else ()
    others = {row.siret: row for shard in asking for row in shard.execute(_OTHERS, asked)}
    found: dict[str, Links] = defaultdict(Links)
    for row in rows:
        other = others.get(row.other)
        link = None if other is None else _link(row, other)
        if link is not None:
            links = found[row.siret]
            among = links.predecessors if row.is_predecessor else links.successors
            if len(among) < _MOST_LINKS:
                among.append(link)
    return found


def _link(row: Row[tuple[object, ...]], other: Row[tuple[object, ...]]) -> Succession | None:
    same_unit = siren_of(row.siret) == siren_of(row.other)
    is_person = other.categorie_juridique in _PERSONS
    if row.siret == row.other or siren_of(row.other) == NOBODY or (is_person and not same_unit):
        return None
    link = Succession(
        siret=row.other,
        day=row.day,
        same_unit=same_unit,
        transfert_siege=row.transfert_siege is True,
        continuite_economique=row.continuite_economique is True,
    )
    if not same_unit or other.code_commune is None:
        return link
    street = (other.numero_voie, other.indice_repetition, other.type_voie, other.libelle_voie)
    return replace(
        link,
        commune=commune_name(other.code_commune, other.libelle_commune, other.treated_in),
        voie=None if is_person else street_of(*street, other.code_commune),
    )
