"""The rows that avis are about: locked and read."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, RowMapping, text

from services.reviewer.reviews.source import Source
from services.reviewer.reviews.store import read_sources
from services.reviewer.texts.subjects import AvisSubject
from shared.days import TIME_ZONE
from shared.texts.subject_rows import SUBJECT_COLUMNS, records_of

_SUBJECTS = text(f"""
    SELECT avis.id AS avis_id, avis.kind, oppositions.siren IS NOT NULL AS opposed,
      (now() AT TIME ZONE '{TIME_ZONE}')::date AS today, {SUBJECT_COLUMNS}
    FROM avis
    JOIN pro_localisations ON pro_localisations.id = avis.pro_localisation_id
    JOIN etablissements ON etablissements.siret = pro_localisations.siret
    JOIN unites_legales ON unites_legales.siren = pro_localisations.siren
    LEFT JOIN oppositions ON oppositions.siren = avis.siren
    WHERE avis.id = ANY(CAST(:ids AS bigint[]))
""")

# The writer locks in this order, too. An update of any of these rows waits until the text is in.
_OF_AVIS = "FROM avis WHERE id = ANY(CAST(:ids AS bigint[]))"
_REVIEWS = f"sources WHERE siret IN (SELECT siret {_OF_AVIS} AND kind = 'synthese')"
_LOCKS = [
    text(f"SELECT 1 FROM {rows} ORDER BY {order} FOR SHARE")
    for rows, order in (
        (f"unites_legales WHERE siren IN (SELECT siren {_OF_AVIS})", "siren"),
        (f"etablissements WHERE siret IN (SELECT siret {_OF_AVIS})", "siret"),
        (
            f"pro_localisations WHERE id IN (SELECT pro_localisation_id {_OF_AVIS})",
            "siret",
        ),
        (_REVIEWS, "digest"),
    )
]
_LOCK_TO_MARK = text(f"SELECT 1 FROM {_REVIEWS} ORDER BY digest FOR NO KEY UPDATE")


def lock_subjects(
    connection: Connection, avis_ids: Sequence[int], *, mark_reviews: bool = False
) -> None:
    """Hold units, establishments, pages and reviews of these avis until the transaction ends.

    With `mark_reviews` the reviews may be updated.
    """
    *others, reviews = _LOCKS
    for statement in (*others, _LOCK_TO_MARK if mark_reviews else reviews):
        connection.execute(statement, {"ids": list(avis_ids)})


def read_subjects(connection: Connection, avis_ids: Sequence[int]) -> dict[int, AvisSubject]:
    """Return subjects by avis id; an avis whose page, establishment or unit is gone has none."""
    rows = connection.execute(_SUBJECTS, {"ids": list(avis_ids)}).mappings().all()
    reviewed = [row["e_siret"] for row in rows if row["kind"] == "synthese"]
    sources = read_sources(connection, reviewed) if reviewed else {}
    return {row["avis_id"]: _subject(row, sources) for row in rows}


def _subject(row: RowMapping, sources: Mapping[str, Sequence[Source]]) -> AvisSubject:
    columns = {str(name): value for name, value in row.items()}
    reviews = tuple(sources.get(columns["e_siret"], ()))
    return AvisSubject(
        *records_of(columns),
        columns["opposed"],
        columns["e_fetched_at"],
        columns["today"],
        reviews if columns["kind"] == "synthese" else None,
    )
