"""Pages and due avis, made again from the stored rows wherever one of them changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection

from services.writer.copying import copy_into, copy_line
from services.writer.erasing import erase
from services.writer.letters import Silenced
from services.writer.prepared import Prepared
from services.writer.statements import NEW_PAGE_FIELDS, PAGE_FIELDS, READ_SUBJECTS
from shared.sirene.facts import facts_hash
from shared.sirene.identifiers import siren_of
from shared.sirene.pages import (
    ETABLISSEMENT_FACTS,
    DueOutcome,
    EtablissementFacts,
    UniteFacts,
    avis_outcome,
    facts_of,
    page_of,
)
from shared.sirene.records import OPEN_TO_ALL, Page

_NO_FACTS = ""
"""Facts of somebody who must not be written about leave no trace, not even their hash."""

_PAGE_VALUES = attrgetter(*PAGE_FIELDS)

# A closed page gives its slug free for the page that follows it.
_CLOSE = Prepared(
    "close_pages",
    """
    UPDATE pro_localisations p
    SET status = 'closed', closed_at = now(), slug = p.slug || '-' || p.id
    FROM (
      SELECT p.id FROM pro_localisations p
      LEFT JOIN new_pages n ON n.status = 'open'
        AND (n.siret, n.activite_principale, n.code_commune)
          = (p.siret, p.activite_principale, p.code_commune)
      WHERE p.siret = ANY(:sirets) AND p.status = 'open' AND n.siret IS NULL
      ORDER BY p.siret, p.activite_principale, p.code_commune
      FOR UPDATE OF p) gone
    WHERE p.id = gone.id
    """,
)
_OPEN = Prepared(
    "open_pages",
    """
    INSERT INTO pro_localisations AS p (siret, siren, activite_principale, code_commune, slug,
      nom, libelle_activite, libelle_commune, status)
    SELECT siret, siren, activite_principale, code_commune, slug,
      nom, libelle_activite, libelle_commune, status
    FROM new_pages WHERE status = 'open'
    ORDER BY siret, activite_principale, code_commune
    ON CONFLICT (siret, activite_principale, code_commune) DO UPDATE SET
      slug = excluded.slug,
      nom = excluded.nom,
      libelle_activite = excluded.libelle_activite,
      libelle_commune = excluded.libelle_commune,
      status = 'open',
      opened_at = CASE p.status WHEN 'open' THEN p.opened_at ELSE now() END,
      closed_at = NULL
    WHERE (p.slug, p.nom, p.libelle_activite, p.libelle_commune, p.status)
      IS DISTINCT FROM (excluded.slug, excluded.nom, excluded.libelle_activite,
        excluded.libelle_commune, excluded.status)
    """,
)
# A text that was accepted for these very facts is still good, and is not paid for again.
_PUT_DUE = Prepared(
    "put_due",
    """
    INSERT INTO avis (pro_localisation_id, siret, siren, kind, outcome, facts_hash)
    SELECT p.id, n.siret, n.siren, 'notice', n.outcome, n.facts_hash
    FROM new_pages n JOIN pro_localisations p USING (siret, activite_principale, code_commune)
    WHERE n.status = 'open'
    ORDER BY p.id
    ON CONFLICT (pro_localisation_id, kind) DO UPDATE SET
      outcome = CASE
        WHEN excluded.outcome = 'pending' AND avis.text IS NOT NULL
          AND avis.accepted_facts_hash = excluded.facts_hash THEN 'accepted'
        ELSE excluded.outcome END,
      facts_hash = excluded.facts_hash,
      published_at = NULL, claim_token = NULL, lease_until = NULL, attempts = 0, updated_at = now()
    WHERE avis.facts_hash <> excluded.facts_hash
      OR CASE excluded.outcome
        WHEN 'pending' THEN avis.outcome NOT IN ('pending', 'accepted', 'rejected', 'no_reviews')
        ELSE avis.outcome <> excluded.outcome END
    """,
)
_CANCEL = Prepared(
    "cancel_avis",
    """
    UPDATE avis SET outcome = 'cancelled',
      published_at = NULL, claim_token = NULL, lease_until = NULL, updated_at = now()
    FROM (
      SELECT a.id FROM avis a JOIN pro_localisations p ON p.id = a.pro_localisation_id
      WHERE a.siret = ANY(:sirets) AND a.outcome = 'pending' AND p.status = 'closed'
      ORDER BY a.id
      FOR UPDATE OF a) gone
    WHERE avis.id = gone.id
    """,
)


@dataclass(frozen=True, slots=True)
class _Subject:
    """An establishment as it is stored now, and what follows from it.

    `has_pages`: it had some before, open or closed.
    """

    siret: str
    siren: str
    has_pages: bool
    outcome: DueOutcome
    page: Page | None
    facts_hash: str
    is_silenced_with_unit: bool

    @classmethod
    def of(cls, row: Sequence[Any], *, sole_traders: bool) -> "_Subject":
        has_pages, opposed, *columns = row
        etablissement = EtablissementFacts._make(columns[: len(ETABLISSEMENT_FACTS)])
        unite = UniteFacts._make(columns[len(ETABLISSEMENT_FACTS) :])
        page = page_of(etablissement, unite)
        outcome = avis_outcome(
            etablissement,
            unite,
            "closed" if page is None else page.status,
            sole_traders=sole_traders,
            opposed=opposed,
        )
        speakable = page is not None and outcome in {"pending", "skipped_sole_trader"}
        return cls(
            etablissement.siret,
            etablissement.siren,
            has_pages,
            outcome,
            page,
            facts_hash(facts_of(etablissement, unite, page)) if page and speakable else _NO_FACTS,
            opposed or unite.statut_diffusion != OPEN_TO_ALL,
        )

    @property
    def must_be_forgotten(self) -> bool:
        return self.outcome in {"skipped_non_diffusible", "skipped_opposition"}


def renew_pages(
    connection: Connection,
    *,
    sirets: Sequence[str],
    sirens: Sequence[str],
    sole_traders: bool,
) -> None:
    """Bring pages and avis of these establishments, and of these units' others, up to date.

    The stored rows decide, not the records of the slice: whichever of two versions came last,
    what follows from them is the same.
    """
    whole = frozenset(sirens)
    others = [siret for siret in sirets if siren_of(siret) not in whole]
    rows = READ_SUBJECTS.run(
        connection, {"sirets": " ".join(others), "sirens": " ".join(sorted(whole))}
    )
    subjects = [_Subject.of(row, sole_traders=sole_traders) for row in rows]
    copy_into(
        connection,
        "new_pages",
        NEW_PAGE_FIELDS,
        [
            copy_line((*_PAGE_VALUES(subject.page), subject.outcome, subject.facts_hash))
            for subject in subjects
            if subject.page is not None
        ],
    )
    known = [subject for subject in subjects if subject.has_pages]
    forgotten = [subject for subject in subjects if subject.must_be_forgotten]
    if known:
        # Before others open: a slug is free only then.
        _CLOSE.run(connection, {"sirets": [subject.siret for subject in known]})
    _OPEN.run(connection)
    _PUT_DUE.run(connection)
    if known:
        _CANCEL.run(connection, {"sirets": [subject.siret for subject in known]})
    erase(
        connection,
        Silenced(
            frozenset(s.siren for s in forgotten if s.is_silenced_with_unit),
            frozenset(s.siret for s in forgotten),
        ),
    )
