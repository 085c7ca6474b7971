"""The rows in which results are stored: accepted texts, attempts, failures. Pure."""

from dataclasses import asdict

import orjson

from services.reviewer.texts.attempts import Attempt
from services.reviewer.texts.provenance import Imprint, json_ld
from services.reviewer.texts.rulings import AvisResult, Claim, Ruling
from shared.avis import HoldReason
from shared.sirene.facts import said


def failure_row(claim: Claim, code: str, message: str) -> dict[str, object]:
    return {"key": str(claim.avis_id), "siren": claim.siren, "code": code, "message": message}


def failure_of(result: AvisResult) -> dict[str, object]:
    last = result.attempts[-1]
    message = ", ".join(last.reasons) + (f": {last.error}" if last.error else "")
    return failure_row(result.claim, last.reasons[0], message)


def accepted_row(
    result: AvisResult, imprint: Imprint, *, name: str, because: HoldReason | None = None
) -> dict[str, object]:
    """Return the values of an avis with the last attempt's text; `name` is as it is shown.

    `because` is why the text is held from now on.
    """
    last = result.attempts[-1]
    return {
        "id": result.claim.avis_id,
        "text": last.text,
        "label": result.label,
        "digital_source_type": last.digital_source_type,
        "model": last.model,
        "prompt_version": last.prompt_version,
        "facts_hash": result.claim.facts_hash,
        "context_hash": result.claim.context_hash,
        "display_name": name,
        "because": because,
        "json_ld": orjson.dumps(json_ld(result.claim, last, imprint, name=name)).decode(),
    }


def attempt_row(result: AvisResult, attempt: Attempt, ruling: Ruling) -> dict[str, object]:
    """Return the row; only the kept attempt may be accepted and have a code, a duplicate's."""
    claim = result.claim
    because = () if ruling.because is None else (ruling.because,)
    kept = attempt is result.attempts[-1] and ruling.tolerated is not None
    tolerated = (ruling.tolerated,) if kept else ()
    # A synthese that comes too late may quote what was withdrawn meanwhile.
    text = None if because and claim.sources is not None else attempt.text
    values = asdict(attempt)
    del values["own_words"]
    return {
        **values,
        "text": text,
        "avis_id": claim.avis_id,
        "siren": claim.siren,
        "facts_hash": claim.facts_hash,
        "facts": _facts_of(claim),
        "accepted": attempt.accepted and not because,
        "reasons": [*attempt.reasons, *because, *tolerated],
        "cost_eur": str(attempt.cost_eur),
    }


def _facts_of(claim: Claim) -> dict[str, object] | None:
    """Return the facts that the hash is of; None where a batch was asked with others."""
    return None if claim.of_other_facts else said(asdict(claim.facts))
