"""Claims on avis, and results that are stored only while claim and facts still stand."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Row

from services.reviewer import statements
from services.reviewer.french.names import shown_name
from services.reviewer.reviews import synthese
from services.reviewer.texts.attempts import Attempt
from services.reviewer.texts.duplicates import Rewrite, keep_apart, simhash_of
from services.reviewer.texts.holds import HOLD_NOTHING, HoldRules, held_by_rule, hold
from services.reviewer.texts.provenance import NO_IMPRINT, Imprint, json_ld
from services.reviewer.texts.rulings import (
    AvisResult,
    Claim,
    Fate,
    LockedAvis,
    Ruling,
    judge,
    outcome_now,
)
from services.reviewer.texts.subject_rows import lock_subjects, read_subjects
from shared.avis import HUMAN_EDITED, PENDING, TEXTLESS, AvisOutcome, HoldReason
from shared.sirene.facts import facts_hash

STARTS_ALLOWED = 10
"""Starts without a result after which an avis is rejected: it seems to kill its reviewer."""

_HASH_DIGITS = 64
"""A synthese has the hash of its reviews behind that of its facts."""

STARTS_WITHOUT_RESULT = "starts_without_result"


def claim(
    engine: Engine,
    avis_ids: Sequence[int],
    *,
    lease_seconds: float,
    prompt_version: str,
    sole_traders: bool,
) -> tuple[list[Claim], dict[int, Fate]]:
    """Claim those of the avis that are pending and unclaimed; settle those that need no text.

    Return the claims, and the fates of what was settled. An avis whose row another transaction
    has locked is left alone.
    """
    token = uuid.uuid4()
    claims: list[Claim] = []
    settled: dict[int, AvisOutcome] = {}
    edits: dict[int, HoldReason] = {}
    with engine.begin() as connection:
        taken = connection.execute(
            statements.CLAIM,
            {"ids": list(avis_ids), "token": str(token), "lease_seconds": lease_seconds},
        ).all()
        subjects = read_subjects(connection, [row.id for row in taken])
        for row in taken:
            subject = subjects.get(row.id)
            outcome = outcome_now(subject, sole_traders=sole_traders)
            if subject is None or outcome is not PENDING:
                settled[row.id] = outcome
                continue
            claimed = Claim.on(subject, avis_id=row.id, token=token)
            if _has_its_text(row, claimed, prompt_version):
                settled[row.id] = AvisOutcome.ACCEPTED
            elif row.has_text and row.model == HUMAN_EDITED:
                # A person's words are not overwritten: a person says what becomes of them.
                settled[row.id] = AvisOutcome.ACCEPTED
                edits[row.id] = HoldReason.EDITED
            elif row.attempts > STARTS_ALLOWED:
                settled[row.id] = AvisOutcome.REJECTED
                code = STARTS_WITHOUT_RESULT
                failure = _failure(claimed, code, code)
                statements.execute_rows(connection, statements.FAIL_ITEMS, [failure])
            else:
                claims.append(claimed)
        _settle(connection, settled)
        hold(connection, edits)
    return claims, {avis_id: Fate.of(outcome) for avis_id, outcome in settled.items()}


def store(  # noqa: PLR0913  # what a result is judged by
    engine: Engine,
    results: Iterable[AvisResult],
    *,
    sole_traders: bool,
    rewrite: Rewrite | None = None,
    hold_rules: HoldRules = HOLD_NOTHING,
    imprint: Imprint = NO_IMPRINT,
    also: Callable[[Connection, Mapping[int, Fate]], None] | None = None,
) -> dict[int, Fate]:
    """Write the results in one transaction; to store them again changes nothing.

    A result counts only while token, status, opposition, page and facts are those of its claim:
    all rows that could change them are locked. With `rewrite`, an accepted text that reads like a
    neighbour's is replaced by another one of the same facts. The rules say which accepted texts are
    held for a person, and the imprint stands in their provenance. `also` runs last, in the same
    transaction.
    """
    ordered = sorted(results, key=lambda result: result.claim.avis_id)
    hashes = {
        result.claim.avis_id: simhash_of(result)
        for result in ordered
        if rewrite is not None and result.attempts[-1].accepted
    }
    # No row is locked while they are made.
    names = {
        result.claim.avis_id: shown_name(result.claim.facts)
        for result in ordered
        if result.attempts[-1].accepted
    }
    with engine.begin() as connection:
        rulings = _judge(connection, ordered, sole_traders=sole_traders)
        if rewrite is not None:
            rulings = _kept_apart(connection, rulings, rewrite, hashes)
        _write(connection, rulings, imprint, names)
        accepted = [each for each, ruling in rulings if ruling.outcome is AvisOutcome.ACCEPTED]
        hold(connection, held_by_rule(connection, hold_rules, accepted))
        fates = {result.claim.avis_id: ruling.fate for result, ruling in rulings}
        if also is not None:
            also(connection, fates)
    return fates


def _judge(
    connection: Connection, results: Sequence[AvisResult], *, sole_traders: bool
) -> list[tuple[AvisResult, Ruling]]:
    """Return each result with its ruling; subjects and avis stay locked."""
    ids = [result.claim.avis_id for result in results]
    lock_subjects(connection, ids)
    held = {
        row.id: LockedAvis(
            AvisOutcome(row.outcome), row.claim_token and uuid.UUID(str(row.claim_token))
        )
        for row in connection.execute(statements.LOCK, {"ids": ids})
    }
    subjects = read_subjects(connection, ids)
    return [
        (result, judge(result, held.get(id_), subjects.get(id_), sole_traders=sole_traders))
        for id_, result in zip(ids, results, strict=True)
    ]


def _kept_apart(
    connection: Connection,
    rulings: Sequence[tuple[AvisResult, Ruling]],
    rewrite: Rewrite,
    hashes: Mapping[int, int],
) -> list[tuple[AvisResult, Ruling]]:
    accepted = [
        result
        for result, ruling in rulings
        # A synthese quotes: its words must stay.
        if ruling.outcome is AvisOutcome.ACCEPTED and result.claim.sources is None
    ]
    chosen = keep_apart(connection, accepted, rewrite, hashes) if accepted else {}
    return [
        (one[0], replace(ruling, tolerated=one[1]))
        if (one := chosen.get(result.claim.avis_id)) is not None
        else (result, ruling)
        for result, ruling in rulings
    ]


def release_claims(
    engine: Engine, avis_ids: Sequence[int], claims: Iterable[Claim] = (), *, resend: bool = True
) -> None:
    """Release avis of these claims and unclaimed ones: the relay sends them again at once.

    Without `resend` they stay published: their message comes again by itself.
    """
    tokens = sorted({str(claim.token) for claim in claims})
    with engine.begin() as connection:
        connection.execute(
            statements.RELEASE, {"ids": list(avis_ids), "tokens": tokens, "resend": resend}
        )


def _has_its_text(row: Row[Any], claimed: Claim, prompt_version: str) -> bool:
    """Return whether the accepted text was made from the same facts by the same prompt."""
    if row.model == HUMAN_EDITED:
        prompt_version = HUMAN_EDITED
    elif claimed.sources is not None:
        prompt_version = synthese.PROMPT_VERSION
    accepted = (row.accepted_facts_hash, row.prompt_version)
    return row.has_text is True and accepted == (claimed.facts_hash, prompt_version)


def _write(
    connection: Connection,
    rulings: Sequence[tuple[AvisResult, Ruling]],
    imprint: Imprint,
    names: Mapping[int, str],
) -> None:
    accepted = [result for result, ruling in rulings if ruling.outcome is AvisOutcome.ACCEPTED]
    rejected = [result for result, ruling in rulings if ruling.outcome is AvisOutcome.REJECTED]
    statements.execute_rows(
        connection,
        statements.ACCEPT,
        [accepted_row(each, imprint, name=names[each.claim.avis_id]) for each in accepted],
    )
    due = [
        {"id": result.claim.avis_id, "facts_hash": ruling.due_facts_hash}
        for result, ruling in rulings
        if ruling.outcome is PENDING
    ]
    statements.execute_rows(connection, statements.MAKE_DUE, due)
    others = {
        result.claim.avis_id: ruling.outcome
        for result, ruling in rulings
        if ruling.outcome is not None and ruling.outcome not in {PENDING, AvisOutcome.ACCEPTED}
    }
    _settle(connection, others)
    _resolve(connection, [result.claim.avis_id for result in accepted])
    statements.execute_rows(connection, statements.FAIL_ITEMS, map(_failure_of, rejected))
    attempts = [
        attempt_row(result, attempt, ruling)
        for result, ruling in rulings
        if ruling.keep_attempts
        for attempt in result.attempts
    ]
    statements.execute_rows(connection, statements.KEEP_ATTEMPTS, attempts)


def _settle(connection: Connection, outcomes: Mapping[int, AvisOutcome]) -> None:
    rows = [{"id": avis_id, "outcome": outcome} for avis_id, outcome in outcomes.items()]
    statements.execute_rows(connection, statements.SETTLE, rows)
    erased = [avis_id for avis_id, outcome in outcomes.items() if outcome in TEXTLESS]
    if erased:
        connection.execute(statements.ERASE_SIMHASHES, {"ids": erased})
        connection.execute(statements.ERASE_TEXTS, {"ids": erased})
    _resolve(connection, [id_ for id_ in outcomes if outcomes[id_] is AvisOutcome.ACCEPTED])


def _resolve(connection: Connection, avis_ids: Sequence[int]) -> None:
    if avis_ids:
        keys = [str(avis_id) for avis_id in avis_ids]
        connection.execute(statements.RESOLVE_FAILED_ITEMS, {"keys": keys})


def _failure(claim: Claim, code: str, message: str) -> dict[str, object]:
    return {"key": str(claim.avis_id), "siren": claim.siren, "code": code, "message": message}


def _failure_of(result: AvisResult) -> dict[str, object]:
    last = result.attempts[-1]
    message = ", ".join(last.reasons) + (f": {last.error}" if last.error else "")
    return _failure(result.claim, last.reasons[0], message)


def accepted_row(result: AvisResult, imprint: Imprint, *, name: str) -> dict[str, object]:
    """Return the values of an avis with the last attempt's text; `name` is as it is shown."""
    last = result.attempts[-1]
    return {
        "id": result.claim.avis_id,
        "text": last.text,
        "label": result.label,
        "digital_source_type": last.digital_source_type,
        "model": last.model,
        "prompt_version": last.prompt_version,
        "facts_hash": result.claim.facts_hash,
        "display_name": name,
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
    return {
        **asdict(attempt),
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
    if facts_hash(claim.facts) != claim.facts_hash[:_HASH_DIGITS]:
        return None
    return {name: value for name, value in asdict(claim.facts).items() if value is not None}
