"""Rulings on a result depend on the avis row and on the register at that moment."""

import datetime as dt
import uuid
from dataclasses import replace

import pytest

from services.reviewer.texts.attempts import Attempt
from services.reviewer.texts.rulings import AvisResult, Claim, Fate, LockedAvis, Ruling, judge
from services.reviewer.texts.subjects import AvisSubject
from shared.avis import AvisOutcome
from shared.sirene.facts import facts_hash
from shared.sirene.pages import page_of
from shared.sirene.records import Etablissement, UniteLegale

TOKEN = uuid.UUID(int=1)
UNITE = UniteLegale(
    siren="552100554", statut_diffusion="O", categorie_juridique="5710", denomination="PEUGEOT"
)
ETABLISSEMENT = Etablissement(
    siret="55210055400013",
    siren="552100554",
    nic="00013",
    statut_diffusion="O",
    etat_administratif="A",
    activite_principale="43.32A",
    nomenclature_activite_principale="NAFRev2",
    code_commune="33063",
)


def subject(
    unite: UniteLegale = UNITE,
    etablissement: Etablissement = ETABLISSEMENT,
    *,
    opposed: bool = False,
) -> AvisSubject:
    page = page_of(etablissement, unite)
    assert page is not None
    fetched_at = dt.datetime(2026, 8, 5, tzinfo=dt.UTC)
    return AvisSubject(etablissement, unite, page, opposed, fetched_at, fetched_at.date())


def held_by(token: uuid.UUID | None = TOKEN, *, outcome: str = "pending") -> LockedAvis:
    return LockedAvis(AvisOutcome(outcome), token)


def result(*reasons: str) -> AvisResult:
    return AvisResult(
        claim=Claim(
            avis_id=1,
            token=TOKEN,
            siren="552100554",
            facts=subject().facts,
            facts_hash=facts_hash(subject().facts),
            fetched_at=dt.datetime(2026, 8, 5, tzinfo=dt.UTC),
        ),
        attempts=(
            Attempt(
                model="m", prompt_version="p", text="Texte.", reasons=reasons, latency_seconds=1
            ),
        ),
        label="Notice.",
    )


OPEN = subject()
CLOSED = subject(etablissement=replace(ETABLISSEMENT, etat_administratif="F"))
OTHER_FACTS = subject(replace(UNITE, sigle="PSA"))
SOLE_TRADER = subject(replace(UNITE, categorie_juridique="1000"))
PARTIAL_UNITE = subject(replace(UNITE, statut_diffusion="P"))
PARTIAL_ETABLISSEMENT = subject(etablissement=replace(ETABLISSEMENT, statut_diffusion="P"))
OPPOSED = subject(opposed=True)
OURS = held_by()
OTHER = held_by(uuid.UUID(int=2))
NOBODY = held_by(None)


@pytest.mark.parametrize(
    ("held", "now", "fate", "outcome", "kept"),
    [
        (OURS, OPEN, Fate.ACCEPTED, "accepted", True),
        (OURS, OTHER_FACTS, Fate.DISCARDED, "pending", True),
        (OURS, CLOSED, Fate.SKIPPED, "cancelled", True),
        (OURS, PARTIAL_UNITE, Fate.SKIPPED, "skipped_non_diffusible", False),
        (OURS, PARTIAL_ETABLISSEMENT, Fate.SKIPPED, "skipped_non_diffusible", False),
        (OURS, OPPOSED, Fate.SKIPPED, "skipped_opposition", False),
        (OURS, SOLE_TRADER, Fate.SKIPPED, "skipped_sole_trader", False),
        (OURS, None, Fate.SKIPPED, "cancelled", False),
        (OTHER, OPEN, Fate.DISCARDED, None, True),
        (NOBODY, OPEN, Fate.DISCARDED, None, True),
        (OTHER, PARTIAL_UNITE, Fate.DISCARDED, None, False),
        (OTHER, OPPOSED, Fate.DISCARDED, None, False),
        (held_by(outcome="accepted"), OPEN, Fate.ACCEPTED, None, False),
        (held_by(outcome="rejected"), OPEN, Fate.REJECTED, None, False),
        (held_by(outcome="cancelled"), OPEN, Fate.DISCARDED, None, True),
        (held_by(outcome="skipped_non_diffusible"), PARTIAL_UNITE, Fate.DISCARDED, None, False),
        (replace(OTHER, outcome=AvisOutcome.ACCEPTED), OPEN, Fate.DISCARDED, None, True),
        (None, OPEN, Fate.DISCARDED, None, False),
    ],
)
def test_a_result_counts_only_where_claim_and_register_still_stand(
    held: LockedAvis | None, now: AvisSubject | None, fate: Fate, outcome: str | None, kept: bool
) -> None:
    ruling = judge(result(), held, now, sole_traders=False)
    assert (ruling.fate, ruling.outcome, ruling.keep_attempts) == (fate, outcome, kept)


def test_a_text_with_a_reason_against_it_is_rejected() -> None:
    assert judge(result("rating"), OURS, OPEN, sole_traders=False) == Ruling(
        Fate.REJECTED, AvisOutcome.REJECTED
    )


def test_sole_traders_are_written_about_where_the_settings_say_so() -> None:
    traders = result()
    claim = replace(traders.claim, facts_hash=facts_hash(SOLE_TRADER.facts))
    ruling = judge(replace(traders, claim=claim), OURS, SOLE_TRADER, sole_traders=True)
    assert ruling.fate == Fate.ACCEPTED
