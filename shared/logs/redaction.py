"""What must not stand in a log: secrets by their name, form or value, and people's data.

Pure. A text is searched for what has the form of a secret; what somebody's data looks like in a
text nobody can tell, so that it may come under no name that INSEE's records have.
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
# A key or a URL with a password can only come under one of these names.
_SECRET_NAMES = ("key", "password", "secret", "token", "url", "authorization", "credential")
_PERSONAL_NAMES = frozenset(PERSONAL_UNITE_FIELDS + PERSONAL_ETABLISSEMENT_FIELDS)
# INSEE's own spelling, and what holds whole records or texts.
_INSEE_NAME = re.compile(r"\w+(UniteLegale|Etablissement)\d?")
_CONTENT_NAMES = frozenset({"args", "body", "kwargs", "payload", "record", "records", "text"})
_RECORD = re.compile(r"(UniteLegale|Etablissement)\d?[\\'\"]+\s*:")
_SECRET_FORMS = (
    # A password within a URL, a key in its query, a header's credentials.
    (re.compile(r"(?<=://)[^/\s@]+@"), f"{REDACTED}@"),
    (re.compile(r"(?i)([?&][\w-]*(?:key|token|secret|sig|password)=)[^&\s\"']+"), rf"\1{REDACTED}"),
    (re.compile(r"(?i)\b(bearer|basic) [\w.~+/=-]{8,}"), rf"\1 {REDACTED}"),
    (re.compile(r"\bsk-[\w-]{8,}"), REDACTED),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w"), "[e-mail]"),
)
# Of a file of credentials, NAME=value.
_SECRET_LINE = re.compile(r"(?mi)^\s*\w*(?:key|secret|token|password)\w*\s*=\s*(.*\S)")
# What is shorter stands in many words that are no secret.
_LEAST_SECRET_CHARACTERS = 6
_DEEPEST = 5


def secrets_of(settings: BaseSettings) -> set[str]:
    """The values of the settings' secrets, and the passwords and keys within them."""
    found = set()
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            whole = value.get_secret_value()
            passwords = re.findall(r"://[^/\s@:]*:([^@\s]+)@", whole)
            found |= {whole, *passwords, *map(unquote, passwords), *_SECRET_LINE.findall(whole)}
    return found


class Redaction:
    """A processor that takes out of an event what must not be in it; also from within values."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first: one may be a part of another.
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
    # An error's own text may quote a row.
    return type(value).__name__ if isinstance(value, BaseException) else str(value)


def _is_withheld(name: str) -> bool:
    lowered = name.lower()
    return (
        any(secret in lowered for secret in _SECRET_NAMES)
        or name in _PERSONAL_NAMES
        or lowered in _CONTENT_NAMES
        or _INSEE_NAME.fullmatch(name) is not None
    )
