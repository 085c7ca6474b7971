"""Texts in the console: read, decided once, and carried out by a reviewer that runs beside it."""

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from services.reviewer.contexts.reader import ContextReader
from services.reviewer.editors.orders import Editor
from services.reviewer.validation import Verdict
from shared.clock import Clock
from tests.consoles import Visitor
from tests.integration.operator.console.conftest import LogIn

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register

SIRET = "00000000100011"
PAGE = f"/textes/{SIRET}/notice"


def no_digits(text: str, _facts: object) -> Verdict:
    return Verdict(("ungrounded_number",) if any(map(str.isdigit, text)) else ())


@pytest.fixture
def reviewer(engine: Engine) -> Editor:
    contexts = ContextReader(engine, [engine], Clock())
    return Editor(engine, no_digits, Clock(), contexts, sole_traders=False)


@pytest.fixture
def ids(register: "Register", reviewers_desk: "Desk") -> list[int]:
    ids = register.add(range(1, 4))
    reviewers_desk.store(*reviewers_desk.claim(ids))
    return ids


@pytest.fixture
def editor(ids: list[int], log_in: LogIn) -> Visitor:
    assert ids
    return log_in("editor")


def seen(visitor: Visitor, path: str = PAGE) -> str:
    """Open the page; return the state that its forms send."""
    _, _, rest = visitor.get(path).text.partition('name="vu" value="')
    return rest.partition('"')[0]


def test_a_text_is_found_and_stands_beside_its_facts_versions_and_verdicts(editor: Visitor) -> None:
    found = editor.get("/textes?numero=000+000+001").words
    assert SIRET in found
    assert "1 texte sur cette page" in found
    page = editor.get(PAGE).words
    for told in ("Les faits au", "Bordeaux", "Essais et verdicts", "Versions", "accepté"):
        assert told in page
    assert "neuf chiffres" in editor.get("/textes?numero=12").words
    assert editor.get("/textes/00000000900011/notice").status == 404


def test_a_decision_waits_is_done_and_stands_in_the_journal_by_numbers(
    editor: Visitor, reviewer: Editor, register: "Register", ids: list[int]
) -> None:
    told = editor.post(f"{PAGE}/hold", {"vu": seen(editor), "motif": "plainte"})
    assert "Ordre en attente : retenir, par editor" in told.words
    assert "Décider" not in told.words
    reviewer.step()
    assert register.avis(ids[0])["held_because"] == "asked"
    page = editor.get(PAGE).words
    assert "retenu depuis le" in page
    assert "plainte" in page
    journal = editor.get("/journal").words
    assert f"avis.hold siret {SIRET} order" in journal
    assert "Atelier" not in journal
    editor.get(PAGE)
    editor.post(f"{PAGE}/release", {"vu": seen(editor)})
    reviewer.step()
    assert register.avis(ids[0])["held_because"] is None


def test_of_two_editors_the_second_is_told_and_keeps_their_words(
    editor: Visitor, log_in: LogIn, reviewer: Editor, register: "Register", ids: list[int]
) -> None:
    other = log_in("admin")
    first, second = seen(editor), seen(other)
    assert first == second
    editor.post(f"{PAGE}/reject", {"vu": first, "motif": "hors sujet"})
    fields = {"vu": second, "motif": "plus clair", "texte": "Un atelier à Bordeaux."}
    told = other.post(f"{PAGE}/edit", fields)
    assert told.status == 409
    assert "quelqu’un d’autre a décidé de ce texte" in told.words
    reviewer.step()
    assert register.avis(ids[0])["outcome"] == "rejected"
    again = other.post(f"{PAGE}/edit", {**fields, "vu": second})
    assert again.status == 409
    assert "Un atelier à Bordeaux." in again.text


def test_an_edit_that_the_rules_refuse_may_be_mended_or_overridden_with_its_reason(
    editor: Visitor, reviewer: Editor, register: "Register", ids: list[int]
) -> None:
    fields = {"motif": "vérifié sur place", "texte": "Ouvert\n depuis  1812."}
    editor.post(f"{PAGE}/edit", {**fields, "vu": seen(editor)})
    reviewer.step()
    page = editor.get(PAGE)
    assert "n’a pas été exécuté" in page.words
    assert "Un nombre n’était dans aucun fait." in page.words
    assert "Ouvert depuis 1812.</textarea>" in page.text
    editor.post(f"{PAGE}/edit", {**fields, "vu": seen(editor), "passer_outre": "oui"})
    reviewer.step()
    row = register.avis(ids[0])
    assert (row["text"], row["model"]) == ("Ouvert depuis 1812.", "human_edited")
    page = editor.get(PAGE)
    assert "gardé malgré : Un nombre n’était dans aucun fait." in page.words
    assert "<del>" in page.text
    assert "<ins>" in page.text
    [order] = register.rows("SELECT * FROM avis_orders WHERE status = 'done'")
    assert (order["override"], order["reason"]) == (True, "vérifié sur place")


def test_a_text_is_made_again(
    editor: Visitor, reviewer: Editor, register: "Register", ids: list[int]
) -> None:
    editor.post(f"{PAGE}/regenerate", {"vu": seen(editor), "motif": "autre tour"})
    reviewer.step()
    assert register.avis(ids[0])["outcome"] == "pending"


def test_an_order_needs_a_reason_its_state_and_a_verb(editor: Visitor) -> None:
    state = seen(editor)
    assert "Dites pourquoi" in editor.post(f"{PAGE}/hold", {"vu": state}).words
    assert "incomplet" in editor.post(f"{PAGE}/hold", {"motif": "x"}).words
    assert editor.post(f"{PAGE}/burn", {"vu": state, "motif": "x"}).status == 404
    assert "vide" in editor.post(f"{PAGE}/edit", {"vu": state, "motif": "x"}).words


def test_names_and_words_of_strangers_are_text(editor: Visitor, register: "Register") -> None:
    strange = "<script>alert(1)</script>"
    register.execute("UPDATE pro_localisations SET nom = :nom", nom=strange)
    register.execute(
        "UPDATE avis SET text = :nom, held_because = 'asked', held_at = now()", nom=strange
    )
    for path in (PAGE, "/textes", "/file"):
        page = editor.get(path)
        assert strange not in page.text
        assert strange in page.words


@pytest.mark.parametrize("role", ["reader", "operator"])
def test_texts_are_for_editors(role: str, ids: list[int], log_in: LogIn) -> None:
    assert ids
    visitor = log_in(role)
    for path in ("/textes", PAGE, "/file", "/file/regles"):
        assert visitor.get(path).status == 403
    assert visitor.post(f"{PAGE}/hold", {"vu": "x", "motif": "x"}).status == 403


def hold_all(register: "Register") -> None:
    register.execute(
        "UPDATE avis SET held_because = 'fallback', held_at = now() + make_interval(secs => id)"
    )


def test_the_queue_is_worked_text_by_text(
    editor: Visitor, reviewer: Editor, register: "Register", ids: list[int]
) -> None:
    hold_all(register)
    page = editor.get("/file").words
    assert page.index("00000000100011") < page.index("00000000200011")
    state = seen(editor, "/file")
    told = editor.post(f"/file/{SIRET}/notice/release", {"vu": state}).words
    assert f"Ordre placé : publier {SIRET}." in told
    assert "en attente" in told
    reviewer.step()
    assert register.avis(ids[0])["held_because"] is None
    second = editor.post(f"/file/{SIRET}/notice/release", {"vu": state})
    assert (second.status, "Quelqu’un d’autre" in second.words) == (409, True)
    other = "/file/00000000200011/notice"
    editor.post(f"{other}/reject", {"vu": seen(editor, "/file"), "motif": "hors sujet"})
    reviewer.step()
    assert register.avis(ids[1])["outcome"] == "rejected"
    assert editor.post(f"{other}/edit", {"vu": state, "motif": "x", "texte": "x"}).status == 404


def test_the_queue_says_what_is_held_by_rule(editor: Visitor, register: "Register") -> None:
    hold_all(register)
    register.execute(
        "INSERT INTO prompt_debuts (model, prompt_version, texts) VALUES ('m', 'p-1', 7)"
    )
    page = editor.get("/file/regles").words
    for told in (
        "50 textes de chaque nouvelle consigne",
        "1.0 %",
        "p-1 7",
        "à la place d’un modèle 3",
    ):
        assert told in page, told
