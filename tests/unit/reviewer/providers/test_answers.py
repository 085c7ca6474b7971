"""An answer becomes a text of sentences with names; its usage is believed where credible."""

import json

import pytest

from services.reviewer.providers.answers import SCHEMA, ModelAnswer, read_answer
from services.reviewer.providers.settings import StructuredOutput
from services.reviewer.validation.sentences.told import FACT_NAMES
from tests.unit.reviewer.conftest import FactsLike


@pytest.mark.parametrize("tokens", [-1, "many", None, [], {}])
@pytest.mark.parametrize("kind", ["prompt_tokens", "completion_tokens"])
def test_tokens_that_are_no_number_are_not_said(kind: str, tokens: object) -> None:
    usage = {"prompt_tokens": 900, "completion_tokens": 60, kind: tokens}
    assert read_answer(json.dumps({"usage": usage}).encode(), "plain").usage is None


_FIRST = {"texte": " {NOM} est à {COMMUNE}. ", "faits": ["nom", "commune", "nom"]}
_SECOND = {"texte": "Il est inscrit.", "faits": []}


def _read(content: object, structured_output: StructuredOutput = "json_schema") -> ModelAnswer:
    written = content if isinstance(content, str) else json.dumps(content)
    choice = {"message": {"content": written}, "finish_reason": "stop"}
    return read_answer(json.dumps({"choices": [choice]}).encode(), structured_output)


def test_sentences_become_a_text_and_keep_their_names() -> None:
    answer = _read({"phrases": [_FIRST, {"texte": " ", "faits": []}, _SECOND]})
    assert (answer.text, answer.reasons) == ("{NOM} est à {COMMUNE}. Il est inscrit.", ())
    assert [one.names for one in answer.sentences] == [{"nom", "commune"}, frozenset()]


def test_the_facts_fill_each_sentence_and_the_text(facts_like: FactsLike) -> None:
    filled = _read({"phrases": [_FIRST, _SECOND]}).filled(facts_like())
    assert filled.text == "Garage du Port est à Vannes. Il est inscrit."
    assert filled.sentences[0].text == "Garage du Port est à Vannes."
    assert _read("{NOM}.", "plain").filled(facts_like()).text == "Garage du Port."


@pytest.mark.parametrize(
    "content",
    [
        {"texte": "Il est inscrit."},
        {"phrases": "Il est inscrit."},
        {"phrases": ["Il est inscrit."]},
        {"phrases": [{"texte": "Il est inscrit."}]},
        {"phrases": [{"texte": "Il est inscrit.", "faits": "nom"}]},
        {"phrases": [{"texte": "Il est inscrit.", "faits": [1]}]},
        {"phrases": [{"texte": ["Il est inscrit."], "faits": []}]},
        [_SECOND],
    ],
)
def test_another_form_is_malformed(content: object) -> None:
    assert _read(content).reasons == ("malformed_json",)


def test_no_sentence_is_no_text_and_thirteen_are_too_many() -> None:
    assert _read({"phrases": []}).reasons == ("empty",)
    assert _read({"phrases": [_SECOND] * 12}).reasons == ()
    assert _read({"phrases": [_SECOND] * 13}).reasons == ("too_long",)


def test_a_plain_answer_has_no_names_to_check() -> None:
    answer = _read({"phrases": [_FIRST]}, "plain")
    assert (answer.text, answer.sentences) == ("{NOM} est à {COMMUNE}.", ())


def test_the_schema_has_the_names_of_the_facts() -> None:
    schema = json.dumps(SCHEMA)
    assert FACT_NAMES
    assert all(f'"{name}"' in schema for name in FACT_NAMES)


_READ = json.dumps({"phrases": [_SECOND]})


@pytest.mark.parametrize(
    "content",
    [
        f"<think>Il faut un objet JSON.</think>{_READ}",
        f"<think>\nUn {{brouillon}}.\n</think>\n\n```json\n{_READ}\n```",
        f"Sans première marque.</think>{_READ}",
        f"<THINK>a</THINK><thinking>b</thinking> {_READ}",
    ],
)
def test_what_a_model_thinks_aloud_is_no_part_of_its_answer(content: str) -> None:
    assert _read(content).text == "Il est inscrit."
    assert _read(content).written_bytes == len(content.encode())


def test_a_thought_without_an_end_is_no_text() -> None:
    assert _read("<think>Je réfléchis encore").reasons == ("empty",)


def test_parts_of_thoughts_are_left_out_and_counted_as_written() -> None:
    parts = [
        {"type": "thinking", "text": "Je réfléchis.", "thinking": [{"text": "Longtemps."}]},
        {"type": "text", "text": _READ},
    ]
    message = {"content": parts, "reasoning_content": "x" * 1000}
    choice = {"message": message, "finish_reason": "stop"}
    answer = read_answer(json.dumps({"choices": [choice]}).encode(), "json_object")
    assert answer.text == "Il est inscrit."
    assert answer.written_bytes > 1000 + len(_READ)
