"""Neighbours' texts on a real database: two firms of one trade in one commune."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, event

from services.reviewer.notices.template import GeneratedText, generate
from services.reviewer.store import store
from services.reviewer.texts.attempts import Attempt
from services.reviewer.texts.duplicates import EXACT_DUPLICATE, NEAR_DUPLICATE, Rewriter
from services.reviewer.texts.rulings import AvisResult, Claim, Fate
from services.reviewer.validation import Verdict, validate
from services.reviewer.validation.simhash import NEAR, distance
from shared.clock import Clock
from shared.db.tables import unites_legales
from shared.metrics import Metrics
from shared.sirene.facts import Facts

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register


@pytest.fixture
def rewriter(clock: Clock, metrics: Metrics) -> Rewriter:
    return Rewriter(validate, clock, metrics)


def _result(claim: Claim, *, seed: str = "the same", by_a_model: bool = False) -> AvisResult:
    generated = generate(claim.facts, 2026, variant_seed=seed)
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


def _near_without_a_word(register: "Register") -> list[tuple[int, int]]:
    """Return the pairs of near texts of which neither attempt says that it is near another."""
    told = {
        row["avis_id"]
        for row in register.rows("SELECT avis_id, reasons FROM avis_attempts WHERE accepted")
        if {EXACT_DUPLICATE, NEAR_DUPLICATE} & set(row["reasons"])
    }
    silent = {id_: simhash for id_, simhash in _hashes(register).items() if id_ not in told}
    pairs = itertools.combinations(sorted(silent), 2)
    return [(a, b) for a, b in pairs if distance(silent[a], silent[b]) <= NEAR]


@pytest.mark.parametrize("together", [True, False])
def test_a_text_like_a_neighbours_is_written_again(
    engine: Engine, register: "Register", desk: "Desk", rewriter: Rewriter, *, together: bool
) -> None:
    ids = register.add(range(1, 3))
    first, second = (_result(claim, by_a_model=True) for claim in desk.claim(ids))
    for group in ([first, second],) if together else ([first], [second]):
        fates = store(engine, group, sole_traders=False, rewriter=rewriter)
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


def test_where_no_wording_differs_the_text_is_kept_and_its_attempt_says_so(
    engine: Engine, register: "Register", desk: "Desk", rewriter: Rewriter, metrics: Metrics
) -> None:
    ids = register.add(range(1, 3))
    one_wording = replace(
        rewriter, generate=lambda facts, year, **_: generate(facts, year, variant_seed="the same")
    )
    for claim in desk.claim(ids):
        fates = store(engine, [_result(claim)], sole_traders=False, rewriter=one_wording)
        assert fates == {claim.avis_id: Fate.ACCEPTED}
    assert _attempts(register, ids[1]) == [("template", True, [EXACT_DUPLICATE])]
    assert register.avis(ids[1])["text"] is not None
    counted = metrics.registry.get_sample_value("sirenade_avis_near_total", {"end": "kept"})
    assert counted == 1


def test_a_wording_that_the_rules_refuse_is_not_chosen(
    engine: Engine, register: "Register", desk: "Desk", rewriter: Rewriter
) -> None:
    ids = register.add(range(1, 3))
    strict = replace(rewriter, validate=lambda _text, _facts: Verdict(("rating",)))
    for claim in desk.claim(ids):
        store(engine, [_result(claim)], sole_traders=False, rewriter=strict)
    assert _attempts(register, ids[1]) == [("template", True, [EXACT_DUPLICATE])]


def test_nothing_is_locked_while_a_text_is_put_in_other_words(
    engine: Engine, register: "Register", desk: "Desk", rewriter: Rewriter
) -> None:
    ids = register.add(range(1, 4))
    first, second, third = (_result(claim) for claim in desk.claim(ids))
    store(engine, [first], sole_traders=False, rewriter=rewriter)
    begun, go_on = threading.Event(), threading.Event()

    def slow(facts: Facts, year: int, *, variant_seed: str) -> GeneratedText:
        begun.set()
        assert go_on.wait(30)
        return generate(facts, year, variant_seed=variant_seed)

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(
            store,
            engine,
            [second],
            sole_traders=False,
            rewriter=replace(rewriter, generate=slow),
        )
        try:
            assert begun.wait(30)
            store(engine, [third], sole_traders=False, rewriter=rewriter)
            register.execute("UPDATE avis SET attempts = attempts WHERE id = :id", id=ids[1])
        finally:
            go_on.set()
        assert list(waiting.result().values()) == [Fate.ACCEPTED]
    assert _near_without_a_word(register) == []


def test_the_same_text_in_another_commune_is_no_duplicate(
    engine: Engine, register: "Register", desk: "Desk", rewriter: Rewriter
) -> None:
    ids = register.add(range(1, 3))
    register.execute("UPDATE pro_localisations SET code_commune = '33001' WHERE id % 2 = 0")
    results = [_result(claim) for claim in desk.claim(ids)]
    assert len(results) == 2
    store(engine, results, sole_traders=False, rewriter=rewriter)
    for avis_id in ids:
        assert _attempts(register, avis_id) == [("template", True, [])]


def test_a_text_is_not_compared_with_the_one_that_it_replaces(
    engine: Engine, register: "Register", desk: "Desk", rewriter: Rewriter
) -> None:
    [avis_id] = register.add(range(1, 2))
    for _ in range(2):
        [claim] = desk.claim([avis_id])
        store(engine, [_result(claim)], sole_traders=False, rewriter=rewriter)
        register.execute(
            "UPDATE avis SET outcome = 'pending', accepted_facts_hash = 'older' WHERE id = :id",
            id=avis_id,
        )
    assert _attempts(register, avis_id) == [("template", True, [])] * 2
    assert len(_hashes(register)) == 1


def test_two_replicas_that_store_at_once_see_each_others_texts(
    engine: Engine, register: "Register", desk: "Desk", rewriter: Rewriter
) -> None:
    ids = register.add(range(1, 3))
    # A short line has too few words to differ in.
    facts: dict[str, Any] = {"voie": "1 rue A", "tranche_effectifs": "11", "annee_effectifs": 2024}
    claims = (replace(one, facts=replace(one.facts, **facts)) for one in desk.claim(ids))
    results = [_result(claim) for claim in claims]
    both, first_two = threading.Barrier(2, timeout=30), [True, True]

    def meet(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "pg_advisory_xact_lock" in statement and first_two:
            first_two.pop()
            both.wait()

    event.listen(engine, "before_cursor_execute", meet)
    with ThreadPoolExecutor(2) as threads:
        stored = [
            threads.submit(store, engine, [one], sole_traders=False, rewriter=rewriter)
            for one in results
        ]
        assert [list(future.result().values()) for future in stored] == [[Fate.ACCEPTED]] * 2
    hashes = _hashes(register)
    assert distance(hashes[ids[0]], hashes[ids[1]]) > NEAR


def test_of_two_near_texts_of_a_place_one_says_so_whoever_stores_first(
    engine: Engine, register: "Register", desk: "Desk", rewriter: Rewriter
) -> None:
    """Two reviewers share a place in which most texts have no wording of their own."""
    ids = register.add(range(1, 61))
    results = [_result(claim, seed=claim.facts.siret) for claim in desk.claim(ids)]
    groups = [results[start : start + 5] for start in range(0, len(results), 5)]
    with ThreadPoolExecutor(2) as threads:
        stored = [
            threads.submit(store, engine, group, sole_traders=False, rewriter=rewriter)
            for group in groups
        ]
        fates = [fate for future in stored for fate in future.result().values()]
    assert fates == [Fate.ACCEPTED] * len(ids)
    assert len(_hashes(register)) == len(ids)
    assert _near_without_a_word(register) == []


def test_who_is_no_longer_diffusible_leaves_no_fingerprint(
    engine: Engine, register: "Register", desk: "Desk", rewriter: Rewriter
) -> None:
    [avis_id] = register.add(range(1, 2))
    [claim] = desk.claim([avis_id])
    store(engine, [_result(claim)], sole_traders=False, rewriter=rewriter)
    assert list(_hashes(register)) == [avis_id]
    register.execute("UPDATE avis SET outcome = 'pending', accepted_facts_hash = 'older'")
    [again] = desk.claim([avis_id])
    register.change(unites_legales, register.siren(1), statut_diffusion="P")
    store(engine, [_result(again)], sole_traders=False, rewriter=rewriter)
    assert _hashes(register) == {}
