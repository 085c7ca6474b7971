"""The removal of secrets and personal data from log events. Pure.

Secrets are found by their name, their form or their value. Personal data in a text has no form by
which it could be found: values under the names of INSEE's records are withheld instead.
"""

import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from shared.sirene.records import PERSONAL_ETABLISSEMENT_FIELDS, PERSONAL_UNITE_FIELDS

Event = MutableMapping[str, Any]

REDACTED = "[redacted]"
# Every key, password and URL with a password is logged under one of these names.
_SECRET_NAMES = ("key", "password", "secret", "token", "url", "authorization", "credential")
_PERSONAL_NAMES = frozenset(PERSONAL_UNITE_FIELDS + PERSONAL_ETABLISSEMENT_FIELDS)
# Keys in INSEE's spelling, and names of values that hold whole records or texts.
_INSEE_NAME = re.compile(r"\w+(UniteLegale|Etablissement)\d?")
_CONTENT_NAMES = frozenset(
    {"args", "body", "kwargs", "payload", "record", "records", "text", "verbatim", "author_label"}
)
_RECORD = re.compile(r"(UniteLegale|Etablissement)\d?[\\'\"]+\s*:")
_SECRET_FORMS = (
    # A password in a URL, a key in its query, the credentials of a header.
    (re.compile(r"(?<=://)[^/\s]+@"), f"{REDACTED}@"),
    (re.compile(r"(?i)([?&][\w-]*(?:key|token|secret|sig|password)=)[^&\s\"']+"), rf"\1{REDACTED}"),
    (re.compile(r"(?i)\b(bearer|basic) [\w.~+/=-]{8,}"), rf"\1 {REDACTED}"),
    (re.compile(r"\bsk-[\w-]{8,}"), REDACTED),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w"), "[e-mail]"),
)
# A line NAME=value of a file of credentials.
_SECRET_LINE = re.compile(r"(?mi)^\s*\w*(?:key|secret|token|password)\w*\s*=\s*(.*\S)")
# A shorter secret would be found within ordinary words.
_LEAST_SECRET_CHARACTERS = 6
_DEEPEST = 5


def secrets_of(settings: BaseSettings) -> set[str]:
    """Return the secret values of the settings, and the passwords and keys within them."""
    found = set()
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            whole = value.get_secret_value()
            passwords = re.findall(r"://[^/\s@:]*:([^@\s]+)@", whole)
            # One that was not percent-encoded ends at the last @ of its URL.
            passwords += re.findall(r"://[^/\s@:]*:([^\s,]+)@", whole)
            found |= {whole, *passwords, *map(unquote, passwords), *_SECRET_LINE.findall(whole)}
    return found


class Redaction:
    """A structlog processor that removes secrets and personal data from an event, at any depth."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest come first: one secret may be a part of another.
        self._secrets = sorted(
            (secret for secret in secrets if len(secret) >= _LEAST_SECRET_CHARACTERS),
            key=len,
            reverse=True,
        )

    def __call__(self, _logger: object, _method: str, event: Event) -> Event:
        for name, value in event.items():
            event[name] = self._clean(value, name)
        return event

    def _clean(self, value: object, name: str = "", depth: int = 0) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if _is_withheld(name) or depth > _DEEPEST:
            return REDACTED
        if isinstance(value, Mapping):
            return {str(key): self._clean(each, str(key), depth + 1) for key, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._clean(each, "", depth + 1) for each in value]
        return self._clean_text(_as_text(value))

    def _clean_text(self, text: str) -> str:
        if _RECORD.search(text):
            return REDACTED
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        for form, instead in _SECRET_FORMS:
            text = form.sub(instead, text)
        return text


def _as_text(value: object) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    # The text of an error may quote a row.
    return type(value).__name__ if isinstance(value, BaseException) else str(value)


def _is_withheld(name: str) -> bool:
    lowered = name.lower()
    return (
        any(secret in lowered for secret in _SECRET_NAMES)
        or name in _PERSONAL_NAMES
        or lowered in _CONTENT_NAMES
        or _INSEE_NAME.fullmatch(name) is not None
    )
