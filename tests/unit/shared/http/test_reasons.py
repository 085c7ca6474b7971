import json

import pytest

from shared.http.reasons import blames_key, reason_in


def _reason(told: object, secret: str = "") -> str:
    def redacted(text: str) -> str:
        return text.replace(secret, "[redacted]") if secret else text

    return reason_in(json.dumps(told).encode(), redacted)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"error": {"code": "model_not_found", "message": "No m."}}, "model_not_found No m."),
        ([{"error": {"code": 400, "status": "INVALID", "message": "Bad."}}], "400 INVALID Bad."),
        ({"error": "no such model"}, "no such model"),
        ({"message": "Unauthorized", "http_status_code": 401}, "Unauthorized"),
        ({"detail": [{"msg": "x"}]}, ""),
        ({"header": {"statut": 400, "message": "Erreur de syntaxe"}}, "Erreur de syntaxe"),
        ({"error": {}}, ""),
        ([], ""),
        (7, ""),
    ],
)
def test_code_and_words_are_found_where_servers_put_them(told: object, reason: str) -> None:
    assert _reason(told) == reason


def test_what_is_no_json_tells_nothing() -> None:
    assert reason_in(b"<html>", str) == ""


@pytest.mark.parametrize(
    "words",
    [
        "Incorrect API key provided: sk-very********ret.",
        "key AIzaSyD-very-secret is wrong",
        "Bearer dGhpcyBpcyBhIHZlcnkgc2VjcmV0IGtleSBvZiBvdXJz",
    ],
)
def test_no_part_of_a_key_is_told(words: str) -> None:
    told = _reason({"error": {"message": words}})
    assert "[…]" in told
    assert "secret" not in told
    assert "sk-" not in told
    assert "dGhp" not in told


def test_a_reason_has_one_bounded_line_without_the_own_secret() -> None:
    told = _reason({"message": "a word\n" * 1000 + "\x1b[31m"}, secret="")
    assert len(told) <= 200
    assert told.isprintable()
    assert _reason({"message": "hunter2 is no key"}, secret="hunter2") == "[redacted] is no key"


@pytest.mark.parametrize(
    "reason",
    [
        "invalid_api_key",
        "400 INVALID_ARGUMENT API key not valid. Please pass a valid API key.",
        "API_KEY_INVALID",
        "Incorrect API key provided",
        "La clé est invalide",
    ],
)
def test_a_wrong_key_is_known_by_the_words(reason: str) -> None:
    assert blames_key(reason)


@pytest.mark.parametrize("reason", ["", "unknown parameter: max_tokens", "keyword is missing"])
def test_other_words_blame_no_key(reason: str) -> None:
    assert not blames_key(reason)
