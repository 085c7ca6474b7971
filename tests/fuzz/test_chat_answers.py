"""Whatever a chat server answers becomes a text or reasons, tokens that can be kept, and a cost."""

import random
from decimal import Decimal
from http import HTTPStatus

import orjson
from pydantic import HttpUrl
from requests.structures import CaseInsensitiveDict

from services.reviewer.batches.answers import read_line
from services.reviewer.providers.answers import read_answer
from services.reviewer.providers.bill import Bill, counted_usage
from services.reviewer.providers.chat import ChatError, error_of, read_retry_after
from services.reviewer.providers.settings import Price, Provider, StructuredOutput, TokenUsage
from services.reviewer.providers.token_bucket import read_allowance
from services.reviewer.statements import to_rows
from services.reviewer.validation import validate
from shared.http.client import HttpAnswer
from shared.sirene.facts import Facts
from tests.fuzz.cases import Fuzz
from tests.fuzz.chats import ChatAnswer, make_answer

_FACTS = Facts(
    siret="12345678900012",
    siren="123456789",
    nom="ATELIER DUPONT",
    forme="Société à responsabilité limitée (sans autre indication)",
    activite="Travaux de menuiserie bois et PVC",
    commune="BORDEAUX",
    code_commune="33063",
    departement="33",
)
_DEAR = Provider(
    name="dear",
    base_url=HttpUrl("http://localhost"),
    model="m",
    price=Price(input_eur_per_million=Decimal(10_000), output_eur_per_million=Decimal(10_000)),
)
_MOST_TOKENS = 2**31  # of a column
_MOST = TokenUsage(tokens_in=1600, tokens_out=600)


def become(case: ChatAnswer) -> str:
    read_retry_after(case.headers)
    for kind in ("requests", "tokens"):
        read_allowance(case.headers, kind)
    _as_line_of_a_batch(case)
    if case.status != HTTPStatus.OK:
        headers = CaseInsensitiveDict(case.headers)
        error = error_of("dear", HttpAnswer(case.status, headers, case.body), str)
        assert isinstance(error, ChatError)
        return f"no answer: {type(error).__name__}"
    return _of_answer(case.body, "json_object")


def _of_answer(body: bytes, structured_output: StructuredOutput) -> str:
    read_answer(body, "plain")
    answer = read_answer(body, structured_output)
    usage = counted_usage(answer, _MOST)
    bill = Bill(_DEAR)
    for _ in range(3):
        bill.add(usage)
    assert max(bill.usage.tokens_in, bill.usage.tokens_out) < _MOST_TOKENS
    assert bill.cost_eur < 10_000
    if answer.failed:
        return "no answer: HTTP 200"
    assert usage.tokens_in >= _MOST.tokens_in // 2
    to_rows([{"text": answer.text, "reasons": list(answer.reasons)}])
    if answer.text is None or answer.reasons:
        assert answer.reasons
        return f"rejected: {answer.reasons[0]}"
    filled = answer.filled(_FACTS)
    verdict = validate(filled.text or "", _FACTS, filled.sentences)
    return "accepted" if verdict.accepted else f"rejected by the validator: {verdict.reasons[0]}"


def _as_line_of_a_batch(case: ChatAnswer) -> None:
    """The same answer in a file of answers; half of the lines are no JSON then."""
    line = b'{"custom_id":"1","response":{"status_code":200,"body":%b},"error":%b}'
    for error in (b"null", b'{"code":{}}', case.body):
        read = read_line(line % (case.body, error), "json_object")
        assert read is None or read[0] == 1
    try:
        status = orjson.dumps(orjson.loads(case.body)["usage"]["prompt_tokens"])
    except (ValueError, TypeError, KeyError, IndexError):
        return
    read_line(b'{"custom_id":"1","response":{"status_code":%b}}' % status, "plain")


def _make(rng: random.Random) -> ChatAnswer:
    return make_answer(rng)


def test_a_spoiled_answer_becomes_a_text_or_reasons_and_a_cost(fuzz: Fuzz) -> None:
    tally = fuzz("chat answers", _make, become)
    tally.require_variety(
        "accepted",
        "rejected: malformed_json",
        "rejected: empty",
        "rejected: truncated",
        "rejected: refusal",
        "rejected: content_filter",
        "rejected: too_long",
        "rejected by the validator: facts_misnamed",
        "rejected by the validator: too_long",
        "rejected by the validator: markup",
        "no answer: HTTP 200",
        "no answer: RateLimited",
        "no answer: Transient",
        "no answer: BadRequest",
        "no answer: ChatRefused",
    )
