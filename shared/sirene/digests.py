"""The two parts of a record, establishment and unit, and their digests. Pure.

The fetcher, which has the decoded record, sends the digests with it. The writer compares them with
those of the stored rows, and need not decode a record that did not change.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import orjson

from shared.sirene.diffusion import without_person
from shared.sirene.identifiers import is_siret, siren_of
from shared.sirene.values import JsonObject, MappingError, json_object, text_of

MAPPING_VERSION: Final = "mapping-1"
"""Raise it when records map to other values: every stored hash then differs, and every row is
written again when INSEE next sends it."""

_DIGEST_BYTES: Final = 16
_HEX: Final = f"[0-9a-f]{{{2 * _DIGEST_BYTES}}}"
_LINE: Final = f"(?:[0-9]{{14}} {_HEX} {_HEX})?"
_LINES = re.compile(rf"{_LINE}(?:\n{_LINE})*")


class SplitRecord(NamedTuple):
    """The siret of a record, the record, and its block about the unit."""

    siret: str
    etablissement: JsonObject
    unite: JsonObject


class Digests(NamedTuple):
    """The siret of a record, and the digests of its two parts in hex."""

    siret: str
    etablissement: str
    unite: str


def split_record(record: object) -> SplitRecord:
    """Split a record into the parts that are compared and stored apart, whatever their values.

    Where a status of diffusion is not known, they are masked. Raises MappingError with a bounded
    `code`.
    """
    block = json_object(record, "record")
    siret = _siret(block)
    unite = block.get("uniteLegale")
    if unite is None:
        raise MappingError("missing_unite_legale", "the record has no unit's block")
    return SplitRecord(siret, *without_person(block, json_object(unite, "unite")))


def digests_of(split: SplitRecord) -> Digests:
    return _digested(split)[0]


def encoded(record: object) -> tuple[bytes, Digests | None]:
    """Return the record as one line of JSON, and its digests; None where it cannot be split.

    The line lacks the score and may have another order of keys. A record too deep to be written
    loses its deep values; the writer then refuses this record alone, for what it lacks.
    """
    try:
        digests, own, unite = _digested(split_record(record))
    except MappingError:
        return _written(record), None
    return b'%b,"uniteLegale":%b}' % (own[:-1], unite), digests


def to_lines(digests: Iterable[Digests | None], *, of: str) -> str:
    """Return a head line, then one line for each record of the text `of`; empty without digests."""
    return "\n".join((_head(of), *(" ".join(one) if one else "" for one in digests)))


def from_lines(lines: str, *, of: str) -> Sequence[Digests | None]:
    """Return the digests of each record; nothing where version, text or form are wrong."""
    head, _, rest = lines.partition("\n")
    if head != _head(of) or _LINES.fullmatch(rest) is None:
        return ()
    return [Digests._make(line.split(" ")) if line else None for line in rest.split("\n")]


def _head(records: str) -> str:
    """Return the mapping version and the length of the records: another one means another text."""
    return f"{MAPPING_VERSION} {len(records)}"


def content_hash(content: bytes) -> str:
    """Return the digest of INSEE's bytes and of the mapping version: it changes with either."""
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES, person=_PERSON).hexdigest()


_PERSON: Final = MAPPING_VERSION.encode()


def _digested(split: SplitRecord) -> tuple[Digests, bytes, bytes]:
    """Return the digests and the bytes of the two parts."""
    own = {**split.etablissement}
    del own["uniteLegale"]
    own.pop("score", None)  # it tells how well the record fits the query
    of_own, of_unite = _canonical(own), _canonical(split.unite)
    return (Digests(split.siret, content_hash(of_own), content_hash(of_unite)), of_own, of_unite)


def _canonical(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # a value that only json writes: orjson reads some, json the others
        pass
    try:
        return json.dumps(value).encode()
    except RecursionError:
        raise MappingError("too_deep", "the record is nested too deeply") from None


def _written(record: object) -> bytes:
    try:
        return _canonical(record)
    except MappingError:
        block = record if isinstance(record, dict) else {}
        flat = {key: value for key, value in block.items() if not isinstance(value, dict | list)}
        return _canonical(flat)


def _siret(block: JsonObject) -> str:
    siret, siren, nic = block.get("siret"), block.get("siren"), block.get("nic")
    if type(siret) is str and is_siret(siret) and siren == siret[:9] and nic == siret[9:]:
        return siret
    siret, siren, nic = (text_of(block, key) for key in ("siret", "siren", "nic"))
    if siret is None:
        raise MappingError("missing_siret", "the record has no siret")
    if not is_siret(siret):
        raise MappingError("bad_siret", "the siret is not fourteen digits")
    if siren not in {None, siren_of(siret)} or nic not in {None, siret[9:]}:
        raise MappingError("bad_siret", "siren and nic do not make the siret")
    return siret
