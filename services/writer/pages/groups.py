"""Groups of establishments, read a column at a time: most of them have no page yet."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from services.writer.erasure.places import literal
from services.writer.pages.subjects import Kept, PageSubject, StoredPage, is_hidden_or_purged
from services.writer.sql.names import columns
from services.writer.sql.prepared import Prepared
from shared.sirene.identifiers import siren_of
from shared.sirene.pages import ETABLISSEMENT_FACTS, UNITE_FACTS, EtablissementFacts, UniteFacts
from shared.sirene.records import OPEN_TO_ALL

# Their order is that of every writer.
_HOLD_UNITES = Prepared(
    "hold_unites_of_group",
    f"""
    SELECT {columns(UNITE_FACTS)} FROM unites_legales
    WHERE siren = ANY(CAST(:sirens AS text[])) ORDER BY siren FOR NO KEY UPDATE
    """,
)
# Its snapshot is younger than the locks. Few of a group have any of these rows.
_READ_KEPT = Prepared(
    "read_kept_of_group",
    f"""
    SELECT 'page' AS kind, siret AS key, ARRAY[{columns(StoredPage._fields)}] AS page
    FROM pro_localisations WHERE siret = ANY(CAST(:sirets AS text[]))
    UNION ALL
    SELECT 'opposed', siren, NULL FROM oppositions WHERE siren = ANY(CAST(:sirens AS text[]))
    UNION ALL
    SELECT 'absent', a.siret, NULL FROM absences a JOIN etablissements e USING (siret)
    WHERE a.siret = ANY(CAST(:sirets AS text[]))
      AND a.page_closed_at IS NOT NULL AND e.fetched_at <= a.asked_at
    UNION ALL
    SELECT 'reviewed', siret, NULL FROM sources WHERE siret = ANY(CAST(:sirets AS text[]))
    """,
)
# A closed establishment needs nothing, unless there is a page to close or something to erase.
_READ_ETABLISSEMENTS = Prepared(
    "read_etablissements_of_group",
    f"""
    SELECT {columns(ETABLISSEMENT_FACTS)} FROM etablissements
    WHERE siret = ANY(CAST(:sirets AS text[]))
      AND (etat_administratif = 'A' OR statut_diffusion <> '{OPEN_TO_ALL}'
        OR siret IN (SELECT unnest(CAST(:with_page AS text[])))
        OR siren IN (SELECT unnest(CAST(:hidden AS text[]))))
    ORDER BY siret
    """,
)


class Group(NamedTuple):
    """The establishments that have a unit, but for the closed ones for which nothing is to be done.

    `reviewed` are the sirets for which reviews wait.
    """

    subjects: Sequence[PageSubject]
    reviewed: frozenset[str]


def hold_group(connection: Connection, sirets: Sequence[str], *, sole_traders: bool) -> Group:
    """Lock the rows of the units until the transaction ends; read what decides on the pages."""
    # The server goes through an index once for sorted keys.
    numbers = {"sirets": literal(sirets), "sirens": literal({siren_of(each) for each in sirets})}
    unites = {row[0]: UniteFacts._make(row) for row in _HOLD_UNITES.tuples(connection, numbers)}
    pages: dict[str, StoredPage] = {}
    keys: dict[str, set[str]] = {"opposed": set(), "absent": set(), "reviewed": set()}
    for kind, key, page in _READ_KEPT.tuples(connection, numbers):
        if kind == "page":
            pages[key] = StoredPage._make(page)
        else:
            keys[kind].add(key)
    opposed, absent = keys["opposed"], keys["absent"]
    hidden = {siren for siren, unite in unites.items() if is_hidden_or_purged(unite)}
    read = {
        "sirets": numbers["sirets"],
        "with_page": literal(pages),
        "hidden": literal(hidden | opposed),
    }
    subjects = []
    for row in _READ_ETABLISSEMENTS.tuples(connection, read):
        etablissement = EtablissementFacts._make(row)
        siret, siren = etablissement.siret, etablissement.siren
        if (unite := unites.get(siren)) is not None:
            kept = Kept(pages.get(siret), siren in opposed, siret in absent)
            subjects.append(
                PageSubject.of(etablissement, unite, sole_traders=sole_traders, kept=kept)
            )
    return Group(subjects, frozenset(keys["reviewed"]))
