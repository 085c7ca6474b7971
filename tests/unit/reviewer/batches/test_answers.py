"""A line of a batch's answers is an answer or nothing, and never breaks its reader."""

import pytest

from services.reviewer.batches.answers import read_line
from services.reviewer.providers.answers import UNAVAILABLE
from services.reviewer.providers.settings import TokenUsage

_LINE = b'{"custom_id":"1","response":{"status_code":%b,"body":%b},"error":%b}'
_DEEP = 300 * b"[" + 300 * b"]"


@pytest.mark.parametrize("status", [b"{}", b"[]", b"true", b"500"])
@pytest.mark.parametrize("error", [b"null", b'{"code":{}}', b'{"code":[1]}', _DEEP])
def test_a_line_of_odd_types_is_an_answer_that_failed(status: bytes, error: bytes) -> None:
    read = read_line(_LINE % (status, b"null", error), "json_object")
    assert read is not None
    assert read[1].reasons == (UNAVAILABLE,)


def test_a_body_too_deep_to_be_written_again_is_no_text() -> None:
    read = read_line(_LINE % (b"200", b'{"choices":%b}' % _DEEP, b"null"), "json_object")
    assert read is not None
    assert (read[1].reasons, read[1].failed) == ((UNAVAILABLE,), True)


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"{}",
        b'"<html>"',
        b'{"error":{"code":"server_error"}}',
        b'{"choices":null}',
        b'{"choices":[{"message":{"content":"Un"},"finish_reason":"error"}]}',
    ],
)
def test_a_line_with_an_ok_that_is_no_answer_has_failed(body: bytes) -> None:
    read = read_line(_LINE % (b"200", body, b"null"), "json_object")
    assert read is not None
    assert (read[1].reasons, read[1].usage, read[1].failed) == ((UNAVAILABLE,), None, True)


def test_a_line_that_failed_costs_what_its_usage_tells() -> None:
    body = b'{"choices":null,"usage":{"prompt_tokens":900,"completion_tokens":0}}'
    read = read_line(_LINE % (b"500", body, b"null"), "json_object")
    assert read is not None
    assert read[1].usage == TokenUsage(tokens_in=900, tokens_out=0)
