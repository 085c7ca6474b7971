"""Neighbours' texts on a real database: two firms of one trade in one commune."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, event

from services.reviewer.notices import template
from services.reviewer.store import store
from services.reviewer.texts.attempts import Attempt
from services.reviewer.texts.duplicates import EXACT_DUPLICATE, REWRITES, Rewrite, rewriter
from services.reviewer.texts.rulings import AvisResult, Claim, Fate
from services.reviewer.validation import validate
from services.reviewer.validation.simhash import NEAR, distance
from shared.clock import Clock
from shared.db.tables import unites_legales
from shared.metrics import Metrics

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register


@pytest.fixture
def rewrite(clock: Clock, metrics: Metrics) -> Rewrite:
    return rewriter(lambda text, facts: validate(text, facts).reasons, clock, metrics)


def _result(claim: Claim, *, seed: str = "the same", by_a_model: bool = False) -> AvisResult:
    generated = template.generate(claim.facts, variant_seed=seed)
    attempt = Attempt(
        model="a model" if by_a_model else generated.model,
        prompt_version="1",
        digital_source_type="trainedAlgorithmicMedia" if by_a_model else "algorithmicMedia",
        text=generated.text,
        reasons=(),
        latency_seconds=0.1,
    )
    return AvisResult(claim=claim, attempts=(attempt,), label="Label of the first text.")


def _attempts(register: "Register", avis_id: int) -> list[tuple[str, bool, list[str]]]:
    rows = register.rows("SELECT * FROM avis_attempts ORDER BY id")
    of_this = [row for row in rows if row["avis_id"] == avis_id]
    return [(row["model"], row["accepted"], row["reasons"]) for row in of_this]


def _hashes(register: "Register") -> dict[int, int]:
    rows = register.rows("SELECT avis_id, simhash FROM avis_simhashes")
    return {row["avis_id"]: row["simhash"] for row in rows}


@pytest.mark.parametrize("together", [True, False])
def test_a_text_like_a_neighbours_is_written_again(
    engine: Engine, register: "Register", desk: "Desk", rewrite: Rewrite, *, together: bool
) -> None:
    ids = register.add(range(1, 3))
    first, second = (_result(claim, by_a_model=True) for claim in desk.claim(ids))
    for group in ([first, second],) if together else ([first], [second]):
        fates = store(engine, group, sole_traders=False, rewrite=rewrite)
        assert set(fates.values()) == {Fate.ACCEPTED}
    assert _attempts(register, ids[0]) == [("a model", True, [])]
    assert _attempts(register, ids[1]) == [
        ("a model", False, [EXACT_DUPLICATE]),
        ("template", True, []),
    ]
    one, other = map(register.avis, ids)
    assert one["label"] == "Label of the first text."
    assert "générée automatiquement" in other["label"]
    assert (other["model"], other["digital_source_type"]) == ("template", "algorithmicMedia")
    hashes = _hashes(register)
    assert distance(hashes[ids[0]], hashes[ids[1]]) > NEAR


def test_where_no_text_differs_the_duplicate_is_kept_and_its_attempt_says_so(
    engine: Engine, register: "Register", desk: "Desk"
) -> None:
    ids = register.add(range(1, 3))
    for claim in desk.claim(ids):
        fates = store(
            engine,
            [_result(claim)],
            sole_traders=False,
            rewrite=lambda again, _number, _because: _result(again),
        )
        assert fates == {claim.avis_id: Fate.ACCEPTED}
    duplicate = ("template", False, [EXACT_DUPLICATE])
    assert _attempts(register, ids[1]) == [
        *[duplicate] * REWRITES,
        ("template", True, [EXACT_DUPLICATE]),
    ]
    assert register.avis(ids[1])["text"] is not None


def test_the_same_text_in_another_commune_is_no_duplicate(
    engine: Engine, register: "Register", desk: "Desk", rewrite: Rewrite
) -> None:
    ids = register.add(range(1, 3))
    register.execute("UPDATE pro_localisations SET code_commune = '33001' WHERE id % 2 = 0")
    results = [_result(claim) for claim in desk.claim(ids)]
    assert len(results) == 2
    store(engine, results, sole_traders=False, rewrite=rewrite)
    for avis_id in ids:
        assert _attempts(register, avis_id) == [("template", True, [])]


def test_a_text_is_not_compared_with_the_one_that_it_replaces(
    engine: Engine, register: "Register", desk: "Desk", rewrite: Rewrite
) -> None:
    [avis_id] = register.add(range(1, 2))
    for _ in range(2):
        [claim] = desk.claim([avis_id])
        store(engine, [_result(claim)], sole_traders=False, rewrite=rewrite)
        register.execute(
            "UPDATE avis SET outcome = 'pending', accepted_facts_hash = 'older' WHERE id = :id",
            id=avis_id,
        )
    assert _attempts(register, avis_id) == [("template", True, [])] * 2
    assert len(_hashes(register)) == 1


def test_two_replicas_that_store_at_once_see_each_others_texts(
    engine: Engine, register: "Register", desk: "Desk", rewrite: Rewrite
) -> None:
    ids = register.add(range(1, 3))
    results = [_result(claim) for claim in desk.claim(ids)]
    both = threading.Barrier(2, timeout=30)

    def meet(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "pg_advisory_xact_lock" in statement:
            both.wait()

    event.listen(engine, "before_cursor_execute", meet)
    with ThreadPoolExecutor(2) as threads:
        stored = [
            threads.submit(store, engine, [one], sole_traders=False, rewrite=rewrite)
            for one in results
        ]
        assert [list(future.result().values()) for future in stored] == [[Fate.ACCEPTED]] * 2
    hashes = _hashes(register)
    assert distance(hashes[ids[0]], hashes[ids[1]]) > NEAR


def test_who_is_no_longer_diffusible_leaves_no_fingerprint(
    engine: Engine, register: "Register", desk: "Desk", rewrite: Rewrite
) -> None:
    [avis_id] = register.add(range(1, 2))
    [claim] = desk.claim([avis_id])
    store(engine, [_result(claim)], sole_traders=False, rewrite=rewrite)
    assert list(_hashes(register)) == [avis_id]
    register.execute("UPDATE avis SET outcome = 'pending', accepted_facts_hash = 'older'")
    [again] = desk.claim([avis_id])
    register.change(unites_legales, register.siren(1), statut_diffusion="P")
    store(engine, [_result(again)], sole_traders=False, rewrite=rewrite)
    assert _hashes(register) == {}
