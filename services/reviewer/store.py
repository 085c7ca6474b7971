"""Claims on avis, and results that are stored only while claim and facts still stand."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine, Row

from services.reviewer import statements
from services.reviewer.french.names import shown_name
from services.reviewer.reviews import synthese
from services.reviewer.texts.duplicates import (
    Draft,
    Rewriter,
    hold_places,
    keep_simhashes,
    write_apart,
)
from services.reviewer.texts.holds import HOLD_NOTHING, HoldRules, held_by_rule, hold
from services.reviewer.texts.provenance import NO_IMPRINT, Imprint
from services.reviewer.texts.result_rows import (
    accepted_row,
    attempt_row,
    failure_of,
    failure_row,
)
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
from services.reviewer.texts.subjects import AvisSubject
from shared.avis import HUMAN_EDITED, PENDING, TEXTLESS, AvisOutcome, HoldReason

Describe = Callable[[Mapping[int, AvisSubject]], Mapping[int, AvisSubject]]
"""Return the subjects with their contexts."""

STARTS_ALLOWED = 10
"""Starts without a result after which an avis is rejected: it seems to kill its reviewer."""

_TRIES = 3
"""Transactions for one store: others may have put a near text into a place in the meantime."""

STARTS_WITHOUT_RESULT = "starts_without_result"


def claim(  # noqa: PLR0913  # what a claim depends on
    engine: Engine,
    avis_ids: Sequence[int],
    *,
    lease_seconds: float,
    prompt_version: str,
    sole_traders: bool,
    describe: Describe = dict,
) -> tuple[list[Claim], dict[int, Fate]]:
    """Claim those of the avis that are pending and unclaimed; settle those that need no text.

    Return the claims, and the fates of what was settled. An avis whose row another transaction
    has locked is left alone. `describe` adds the contexts of what was claimed, afterwards: it needs
    connections, and the store makes sure that the facts were the same all the time.
    """
    token = uuid.uuid4()
    claimed_subjects: dict[int, AvisSubject] = {}
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
                failure = failure_row(claimed, code, code)
                statements.execute_rows(connection, statements.FAIL_ITEMS, [failure])
            else:
                claimed_subjects[row.id] = subject
        _settle(connection, settled)
        hold(connection, edits)
    described = describe(claimed_subjects).items() if claimed_subjects else ()
    claims = [Claim.on(subject, avis_id=avis_id, token=token) for avis_id, subject in described]
    return claims, {avis_id: Fate.of(outcome) for avis_id, outcome in settled.items()}


def store(  # noqa: PLR0913  # what a result is judged by
    engine: Engine,
    results: Iterable[AvisResult],
    *,
    sole_traders: bool,
    rewriter: Rewriter | None = None,
    hold_rules: HoldRules = HOLD_NOTHING,
    imprint: Imprint = NO_IMPRINT,
    also: Callable[[Connection, Mapping[int, Fate]], None] | None = None,
) -> dict[int, Fate]:
    """Write the results in one transaction; to store them again changes nothing.

    A result counts only while token, status, opposition, page and facts are those of its claim:
    all rows that could change them are locked. With `rewriter`, an accepted text that reads like a
    neighbour's is put in other words before. The rules say which accepted texts are held for a
    person, and the imprint stands in their provenance. `also` runs last, in the same transaction.
    """
    ordered = sorted(results, key=lambda result: result.claim.avis_id)
    accepted = [result for result in ordered if result.attempts[-1].accepted]
    # No row is locked while names and drafts are made.
    names = {result.claim.avis_id: shown_name(result.claim.facts) for result in accepted}
    # A synthese quotes: its words must stay.
    notices = [result for result in accepted if result.claim.sources is None]
    drafts = {} if rewriter is None else write_apart(engine, notices, rewriter)
    for tries_left in reversed(range(_TRIES)):
        with engine.begin() as connection:
            rulings = _judge(connection, ordered, sole_traders=sole_traders)
            crowded = hold_places(connection, _to_keep(rulings, drafts))
            drafts |= crowded
            if rewriter is None or not crowded or not tries_left:
                worded = _worded(rulings, drafts)
                kept = [each for each, ruling in worded if ruling.outcome is AvisOutcome.ACCEPTED]
                held = held_by_rule(connection, hold_rules, kept)
                _write(connection, worded, imprint, names, held)
                keep_simhashes(connection, _to_keep(rulings, drafts))
                fates = {result.claim.avis_id: ruling.fate for result, ruling in worded}
                if also is not None:
                    also(connection, fates)
                break
        others = [draft for avis_id, draft in drafts.items() if avis_id not in crowded]
        again = [draft.first for draft in crowded.values()]
        drafts |= write_apart(engine, again, rewriter, among=others)
    if rewriter is not None:
        rewriter.count(_to_keep(rulings, drafts))
    return fates


def _to_keep(
    rulings: Iterable[tuple[AvisResult, Ruling]], drafts: Mapping[int, Draft]
) -> list[Draft]:
    """Return the drafts that the rulings accept."""
    return [
        draft
        for result, ruling in rulings
        if ruling.outcome is AvisOutcome.ACCEPTED
        and (draft := drafts.get(result.claim.avis_id)) is not None
    ]


def _worded(
    rulings: Iterable[tuple[AvisResult, Ruling]], drafts: Mapping[int, Draft]
) -> list[tuple[AvisResult, Ruling]]:
    """Return accepted results in the words chosen for them, with the code against these."""
    worded: list[tuple[AvisResult, Ruling]] = []
    for result, ruling in rulings:
        draft = drafts.get(result.claim.avis_id)
        if draft is None or ruling.outcome is not AvisOutcome.ACCEPTED:
            worded.append((result, ruling))
        else:
            worded.append((draft.chosen, replace(ruling, tolerated=draft.code)))
    return worded


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


def extend_claims(engine: Engine, claims: Iterable[Claim], *, lease_seconds: float) -> None:
    """Keep avis whose results cannot be stored yet from others, where the claims still stand."""
    held = [(claim.avis_id, str(claim.token)) for claim in claims]
    ids, tokens = [one for one, _ in held], sorted({token for _, token in held})
    with engine.begin() as connection:
        values = {"ids": ids, "tokens": tokens, "lease_seconds": lease_seconds}
        connection.execute(statements.EXTEND, values)


def _has_its_text(row: Row[Any], claimed: Claim, prompt_version: str) -> bool:
    """Return whether the accepted text was made from the same facts by the same prompt."""
    if row.model == HUMAN_EDITED:
        prompt_version = HUMAN_EDITED
    elif claimed.sources is not None:
        prompt_version = synthese.PROMPT_VERSION
    elif row.context_hash is None:
        # Other rows say something else since, or what they said was never kept.
        return False
    accepted = (row.accepted_facts_hash, row.prompt_version)
    return row.has_text is True and accepted == (claimed.facts_hash, prompt_version)


def _write(
    connection: Connection,
    rulings: Sequence[tuple[AvisResult, Ruling]],
    imprint: Imprint,
    names: Mapping[int, str],
    held: Mapping[int, HoldReason],
) -> None:
    accepted = [result for result, ruling in rulings if ruling.outcome is AvisOutcome.ACCEPTED]
    rejected = [result for result, ruling in rulings if ruling.outcome is AvisOutcome.REJECTED]
    by_id = {each.claim.avis_id: each for each in accepted}
    rows = [
        accepted_row(each, imprint, name=names[id_], because=held.get(id_))
        for id_, each in by_id.items()
    ]
    statements.execute_rows(connection, statements.ACCEPT, rows)
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
    _resolve(connection, list(by_id))
    statements.execute_rows(connection, statements.FAIL_ITEMS, map(failure_of, rejected))
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
