"""The search of texts: by number, name, state, reason of a hold, activity, département.

Each page looks at a bounded number of rows, whatever is asked: where few of many texts match, a
page has few of them, and the next one goes on. Ids are unique over the shards.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, text

from shared.avis import AvisOutcome, HoldReason
from shared.search.words import words_of
from shared.sirene.identifiers import is_siren, is_siret

PAGE = 50
_SCANNED = 5_000
_NEWEST = 2**62
_STARTS = {
    "siret": "avis a WHERE a.siret = :number AND a.id < :before",
    "siren": "avis a WHERE a.siren = :number AND a.id < :before",
    "name": """(SELECT pro_localisation_id FROM search_entries
        WHERE terms @@ CAST(:words AS tsquery) LIMIT :scanned) s
      JOIN avis a USING (pro_localisation_id) WHERE a.id < :before""",
    "held": "avis a WHERE a.held_because IS NOT NULL AND a.id < :before",
    "rejected": "avis a WHERE a.outcome = 'rejected' AND a.id < :before",
    "all": "avis a WHERE a.id < :before",
}
_FIND = """
    WITH scanned AS MATERIALIZED (
      SELECT a.id, a.pro_localisation_id, a.outcome, a.held_because FROM {start}
      ORDER BY a.id DESC LIMIT :scanned),
    found AS (
      SELECT s.id FROM scanned s
      WHERE (CAST(:outcome AS text) IS NULL OR s.outcome = :outcome)
        AND (CAST(:held AS text) IS NULL OR s.held_because = :held)
        -- With an offset, no plan reads all pages to hash them.
        AND (:anywhere OR EXISTS (
          SELECT FROM pro_localisations p WHERE p.id = s.pro_localisation_id
            AND p.activite_principale LIKE :activite AND p.code_commune LIKE :commune OFFSET 0))
      ORDER BY s.id DESC LIMIT :rows)
    SELECT a.id, a.siret, a.kind, a.outcome, a.held_because, a.model, a.accepted_at,
      left(a.text, 200) AS beginning, p.nom, p.libelle_commune, p.libelle_activite,
      seen.rows AS scanned, seen.last AS scanned_to
    FROM (SELECT count(*) AS rows, min(id) AS last FROM scanned) seen
    LEFT JOIN (found JOIN avis a USING (id) JOIN pro_localisations p
      ON p.id = a.pro_localisation_id) ON true
    ORDER BY a.id DESC
"""
_STATEMENTS = {name: text(_FIND.format(start=start)) for name, start in _STARTS.items()}


@dataclass(frozen=True, slots=True)
class TextCriteria:
    """The texts that are looked for; an empty value stands for all.

    `number` is a siret or a siren, `name` the beginnings of words of a name that the portal's index
    has, `activite` the beginning of a code, `departement` a code.
    """

    number: str = ""
    name: str = ""
    outcome: AvisOutcome | None = None
    held: HoldReason | None = None
    is_held: bool = False
    activite: str = ""
    departement: str = ""


class FoundText(NamedTuple):
    id: int
    siret: str
    kind: str
    outcome: str
    held_because: str | None
    model: str | None
    accepted_at: dt.datetime | None
    beginning: str | None
    nom: str | None
    libelle_commune: str | None
    libelle_activite: str | None


class FoundTexts(NamedTuple):
    """A page of texts, the newest first; `before` is where the next page begins, None at the end.

    `scanned` rows were looked at.
    """

    texts: list[FoundText]
    before: int | None
    scanned: int


def find_texts(
    shards: Sequence[Connection], criteria: TextCriteria, before: int | None = None
) -> FoundTexts:
    """Return the page of texts whose ids lie below `before`."""
    start, values = _start_of(criteria)
    anywhere = not (criteria.activite or criteria.departement)
    # Without a condition each row that is looked at is one of the page.
    narrows = criteria.outcome or criteria.held or not anywhere
    values |= {
        "before": before or _NEWEST,
        "anywhere": anywhere,
        "scanned": _SCANNED // len(shards) if narrows or start == "name" else PAGE + 1,
        "rows": PAGE + 1,
        "outcome": criteria.outcome,
        "held": criteria.held,
        "activite": f"{_escaped(criteria.activite)}%",
        "commune": f"{_escaped(criteria.departement)}%",
    }
    found: list[FoundText] = []
    scanned, floor = 0, 0
    for shard in shards:
        rows = shard.execute(_STATEMENTS[start], values).all()
        found += [FoundText(*row[:-2]) for row in rows if row.id is not None]
        scanned += rows[0].scanned
        if rows[0].scanned == values["scanned"]:
            # Below it this shard was not looked at; others wait there for the next page.
            floor = max(floor, rows[0].scanned_to)
    ordered = sorted((each for each in found if each.id >= floor), key=lambda each: -each.id)
    page = ordered[:PAGE]
    if len(ordered) > PAGE:
        return FoundTexts(page, page[-1].id, scanned)
    return FoundTexts(page, floor or None, scanned)


def _start_of(criteria: TextCriteria) -> tuple[str, dict[str, object]]:
    """Return the narrowest way to the texts, and its parameters."""
    if is_siret(criteria.number):
        return "siret", {"number": criteria.number}
    if is_siren(criteria.number):
        return "siren", {"number": criteria.number}
    if words := words_of(criteria.name):
        return "name", {"words": " & ".join(f"'{word}':*A" for word in words)}
    if criteria.is_held or criteria.held is not None:
        return "held", {}
    return ("rejected" if criteria.outcome is AvisOutcome.REJECTED else "all"), {}


def _escaped(words: str) -> str:
    return words.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
