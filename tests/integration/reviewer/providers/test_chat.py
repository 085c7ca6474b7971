"""One call to a chat server, and the result of every way in which it can fail."""

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from services.reviewer.providers.chat import (
    BadRequest,
    Chat,
    ChatError,
    ChatRefused,
    RateLimited,
    Transient,
)
from services.reviewer.providers.settings import Price, Provider, TokenUsage
from shared.errors import UserError
from tests.integration.reviewer.chat_reviews import FREE
from tests.integration.reviewer.chat_reviews import provider as chat_provider
from tests.integration.reviewer.chat_server import (
    ChatServer,
    Respond,
    Response,
    chat_server,
    completion,
    phrases,
    text,
)

Serve = Callable[[Respond | Response], ChatServer]
MESSAGES = [{"role": "user", "content": "Rédige."}]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(respond: Respond | Response) -> ChatServer:
            always = (lambda _: respond) if isinstance(respond, Response) else respond
            return stack.enter_context(chat_server(always))

        yield start


def provider(server: ChatServer, **settings: Any) -> Provider:
    return chat_provider(server.base_url, model="m", price=FREE, **settings)


def call(server: ChatServer, **settings: Any) -> Any:
    chat = Chat(provider(server, **settings))
    try:
        return chat.post(MESSAGES, "json_object").answer
    finally:
        chat.close()


def test_a_request_holds_model_messages_limit_and_key(serve: Serve, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("sk-very-secret\n")
    server = serve(Response(text("Bonjour.")))
    answer = call(server, key_file=key_file, max_tokens=123)
    assert (answer.text, answer.reasons) == ("Bonjour.", ())
    assert answer.usage == TokenUsage(tokens_in=1200, tokens_out=120)
    [request] = server.requests
    assert request["messages"] == MESSAGES
    assert (request["model"], request["max_tokens"]) == ("m", 123)
    assert request["response_format"] == {"type": "json_object"}
    assert server.headers[0]["Authorization"] == "Bearer sk-very-secret"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (completion(None), "empty"),
        (completion("  "), "empty"),
        (completion('{"phrases": []}'), "empty"),
        (completion('{"phrases": [{"texte": "Un texte cou'), "malformed_json"),
        (completion('{"texte": "Un texte."}'), "malformed_json"),
        (completion('{"phrases": [{"texte": "Un', finish_reason="length"), "truncated"),
        (completion(None, finish_reason="content_filter"), "content_filter"),
    ],
)
def test_every_answer_without_a_text_has_its_reason(serve: Serve, body: bytes, reason: str) -> None:
    assert call(serve(Response(body))).reasons == (reason,)


_NO_ANSWERS = {
    "nothing": b"",
    "HTML": b"<html>nginx</html>",
    "no object": b"[1]",
    "an empty object": b"{}",
    "an error object": b'{"error": {"code": 502, "message": "upstream"}}',
    "an error beside a text": text(error={"message": "upstream"}),
    "choices null": b'{"choices": null}',
    "no choices": b'{"choices": []}',
    "choices of nothing": b'{"choices": [null]}',
    "no message": b'{"choices": [{"message": "no"}]}',
    "a stream": b'data: {"choices": [{"delta": {"content": "Un"}}]}\n\ndata: [DONE]\n\n',
    "a piece of a stream": b'{"choices": [{"delta": {"content": "Un"}}]}',
    "an end by an error": text(finish_reason="error"),
}


@pytest.mark.parametrize("kind", _NO_ANSWERS)
def test_an_ok_without_an_answer_is_an_outage_as_a_503_and_not_billed(
    serve: Serve, kind: str
) -> None:
    server = serve(Response(_NO_ANSWERS[kind]))
    with pytest.raises(Transient, match="HTTP 200 without an answer") as raised:
        call(server)
    assert not raised.value.billed
    assert raised.value.failure is not None


def test_a_refusal_is_one_whatever_the_content(serve: Serve) -> None:
    body = json.loads(completion(None))
    body["choices"][0]["message"]["refusal"] = "I can't."
    assert call(serve(Response(json.dumps(body).encode()))).reasons == ("refusal",)


@pytest.mark.parametrize(
    "content", [f"```json\n{phrases('Oui.')}\n```", [{"text": phrases("Oui.")}]]
)
def test_fences_and_parts_are_read_too(serve: Serve, content: object) -> None:
    assert call(serve(Response(completion(content)))).text == "Oui."


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        (None, None),
        ({"prompt_tokens": -1, "completion_tokens": 1}, None),
        ({"prompt_tokens": 5}, None),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 1,
                "prompt_tokens_details": {"cached_tokens": 4},
            },
            TokenUsage(tokens_in=5, tokens_out=1, tokens_cached=4),
        ),
        # Thoughts that are in the total only.
        (
            {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 4000},
            TokenUsage(tokens_in=5, tokens_out=3995),
        ),
        (
            {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 7},
            TokenUsage(tokens_in=5, tokens_out=9),
        ),
        (
            {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": "many"},
            TokenUsage(tokens_in=5, tokens_out=9),
        ),
    ],
)
def test_usage_is_what_can_be(serve: Serve, usage: object, read: TokenUsage | None) -> None:
    assert call(serve(Response(text("Oui.", usage=usage)))).usage == read


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (Response(status=429), RateLimited),
        (Response(b'{"error": {"code": "insufficient_quota"}}', 429), ChatRefused),
        (Response(status=500), Transient),
        (Response(status=503), Transient),
        (Response(status=400), BadRequest),
        (Response(status=401), ChatRefused),
        (Response(status=404), ChatRefused),
        (Response(status=307, headers={"Location": "http://127.0.0.1:9/"}), ChatRefused),
        (Response(cut=True), Transient),
        (Response(text(), wait_seconds=3), Transient),
        (Response(b"{", drip=True), Transient),
    ],
)
def test_errors_are_sorted_by_what_helps(
    serve: Serve, response: Response, error: type[ChatError]
) -> None:
    server = serve(response)
    start = time.monotonic()
    with pytest.raises(error) as raised:
        call(server)
    assert type(raised.value) is error
    assert time.monotonic() - start < 3
    assert len(server.requests) == 1, "the adapter never tries twice"


def test_a_server_that_is_not_there_has_not_billed(serve: Serve) -> None:
    server = serve(Response())
    unreachable = chat_provider("http://127.0.0.1:9/v1", "away")
    with pytest.raises(Transient) as away:
        Chat(unreachable).post(MESSAGES, "plain")
    assert not away.value.billed
    server.respond = lambda _: Response(cut=True)
    with pytest.raises(Transient) as cut:
        call(server)
    assert cut.value.billed


@pytest.mark.parametrize(
    ("status", "billed"),
    [(408, True), (504, True), (520, True), (522, True), (524, True), (500, False), (503, False)],
)
def test_a_server_that_waited_no_longer_may_have_billed(
    serve: Serve, status: int, *, billed: bool
) -> None:
    with pytest.raises(Transient) as raised:
        call(serve(Response(status=status)))
    assert raised.value.billed is billed


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "0"}, None),
        ({"Retry-After": "0.001"}, 0.25),
        ({"Retry-After": "999999999"}, 900),
        ({"retry-after-ms": "0"}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_all_its_shapes(
    serve: Serve, headers: dict[str, str], seconds: float | None
) -> None:
    with pytest.raises(RateLimited) as raised:
        call(serve(Response(status=429, headers=headers)))
    assert raised.value.retry_after_seconds == seconds


def test_retry_after_may_be_a_date(serve: Serve) -> None:
    date = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=30), usegmt=True)
    with pytest.raises(RateLimited) as raised:
        call(serve(Response(status=429, headers={"Retry-After": date})))
    assert raised.value.retry_after_seconds == pytest.approx(30, abs=3)


def test_no_error_tells_the_key_though_the_server_does(serve: Serve, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("sk-very-secret")
    server = serve(Response(b"Incorrect API key: sk-very-secret", 401))
    with pytest.raises(ChatRefused) as raised:
        call(server, key_file=key_file)
    assert "sk-very" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert str(raised.value) == "local: HTTP 401: its key is refused"


def test_a_wrong_key_that_is_answered_by_400_is_a_key_that_is_refused(
    serve: Serve, tmp_path: Path
) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("sk-very-secret")
    body = b'[{"error": {"code": 400, "message": "API key not valid: sk-very-secret"}}]'
    with pytest.raises(ChatRefused) as raised:
        call(serve(Response(body, 400)), key_file=key_file)
    assert "sk-very" not in str(raised.value)
    assert str(raised.value).startswith(
        "local: HTTP 400: its key is refused (400 API key not valid"
    )


def test_a_request_that_is_refused_tells_the_server_s_reason(serve: Serve) -> None:
    body = b'{"error": {"code": "unsupported_parameter", "message": "Use max_completion_tokens."}}'
    with pytest.raises(BadRequest) as raised:
        call(serve(Response(body, 400)))
    told = "local: HTTP 400: unsupported_parameter Use max_completion_tokens."
    assert str(raised.value) == told


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff\xfe"])
def test_a_file_that_holds_no_key_is_named(tmp_path: Path, content: bytes) -> None:
    key_file = tmp_path / "key"
    key_file.write_bytes(content)
    settings = chat_provider("http://127.0.0.1:9", "p", key_file=key_file)
    with pytest.raises(UserError, match=r"holds no key|is not UTF-8") as raised:
        Chat(settings)
    assert "two words" not in str(raised.value)


def test_cached_tokens_have_their_own_price() -> None:
    price = Price(
        input_eur_per_million=Decimal(2),
        output_eur_per_million=Decimal(10),
        cached_eur_per_million=Decimal("0.5"),
    )
    usage = TokenUsage(tokens_in=1_000_000, tokens_out=100_000, tokens_cached=400_000)
    assert price.cost_eur(usage) == Decimal("2.4")
