"""Rows and faults from the bytes of a slice, before any look at the database. Pure."""

import datetime as dt
import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter, getitem
from typing import Any, NamedTuple

import orjson

from shared.messages import RECORDS_PER_SLICE, ContractError, WriteSlice
from shared.sirene.dates import LAST_DAY
from shared.sirene.diffusion import is_masking
from shared.sirene.digests import Digests, SplitRecord, digests_of, from_lines, split_record
from shared.sirene.identifiers import is_siret, owner_of, siren_of
from shared.sirene.mapping.mapper import map_split
from shared.sirene.mapping.rows import MappedRecord
from shared.sirene.records import OPEN_TO_ALL
from shared.sirene.values import MappingError
from shared.wire import count_values

MAX_MESSAGE_LENGTH = 200
# A record has some 80 values in 4 kB, and 20 values for each of its periods.
_VALUES_PER_RECORD = 2000
_LONGEST_RECORD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Fault:
    """One record that could not be written, as `failed_items` keeps it.

    `key` is the siret, or the record's place where it has none. `payload` is None unless the
    record has an owner and says that everybody may see it. `withdrawn` is the siren or siret whose
    data INSEE masks in the record.
    """

    key: str
    siren: str | None
    payload: bytes | None
    code: str
    message: str
    withdrawn: str | None = None


class Sent(NamedTuple):
    """A record as it came, not mapped yet: most are stored already, and are never mapped.

    `record` decodes the record.
    """

    siret: str
    etablissement_hash: str
    unite_hash: str
    record: Callable[[], object]

    @property
    def siren(self) -> str:
        return siren_of(self.siret)

    def split(self) -> SplitRecord:
        """Raise MappingError where the digests belong to another record."""
        split = split_record(self.record())
        if split.siret != self.siret:
            raise MappingError("bad_digest", "the digests are those of another record")
        return split

    @property
    def statuts(self) -> tuple[object, object]:
        """Return the status of the unit and that of the establishment."""
        return _statuts(self.record())

    def fault(self, code: str, message: str) -> Fault:
        return _fault(self.siret, self.record(), code, message)


class MappedRow(NamedTuple):
    """A mapped record, and the record as it came."""

    mapped: MappedRecord
    sent: Sent

    @property
    def siret(self) -> str:
        return self.sent.siret


@dataclass(frozen=True, slots=True)
class ReadSlice:
    """`sirets` are sorted, distinct, and include those of the records that cannot be written."""

    records: int
    sirets: tuple[str, ...]
    sent: Sequence[Sent]
    faults: Sequence[Fault]


def read_slice(message: WriteSlice) -> ReadSlice:
    """Read the records with their digests; raise ContractError where they are no JSON array."""
    sent: list[Sent] = []
    faults: list[Fault] = []
    for index, (record, digests) in enumerate(_records(message)):
        try:
            sent.append(Sent(*(digests or digests_of(split_record(record()))), record))
        except MappingError as error:
            owner = owner_of(record())
            place = f"{message.batch_id}/{message.page}/{message.slice}/{index}"
            key = owner if owner is not None and is_siret(owner) else place
            faults.append(_fault(key, record(), error.code, str(error)))
    sirets = {one.siret for one in sent} | {f.key for f in faults if is_siret(f.key)}
    return ReadSlice(len(sent) + len(faults), tuple(sorted(sirets)), sent, faults)


def _records(message: WriteSlice) -> Iterator[tuple[Callable[[], object], Digests | None]]:
    """Yield for each record a function that decodes it, and its digests where they came along."""
    digests = from_lines(message.digests, of=message.records)
    if digests:
        lines = functools.cache(partial(_cut, message, len(digests)))
        for index, one in enumerate(digests):
            yield partial(_decode, lines, index), one
        return
    if count_values(message.records) > RECORDS_PER_SLICE * _VALUES_PER_RECORD:
        raise ContractError("WriteSlice.records has more values than a slice")
    records = _loads(message.records)
    if not isinstance(records, list):
        raise ContractError("WriteSlice.records is not a JSON array")
    if len(records) > RECORDS_PER_SLICE:
        raise ContractError("WriteSlice.records has more records than a slice")
    for index in range(len(records)):
        yield partial(getitem, records, index), None


def _cut(message: WriteSlice, number: int) -> list[bytes]:
    """Cut the records of a slice apart, when the first one is decoded: often none is."""
    lines = message.record_lines()
    if len(lines) != number:
        raise ContractError("WriteSlice.records has not one line for each of its digests")
    return lines


def _decode(lines: Callable[[], list[bytes]], index: int) -> object:
    line = lines()[index]
    if len(line) > _LONGEST_RECORD_BYTES:
        raise ContractError("WriteSlice.records holds a record that is too long")
    return _loads(line.removeprefix(b","))


def map_rows(
    sent: Iterable[Sent], *, on: dt.date = LAST_DAY
) -> tuple[list[MappedRow], list[Fault]]:
    """Map the records; return the rows in the order of their sirets, and the faults.

    Locks are taken in this order. `on` is that of `mapper.map_record`.
    """
    rows: list[MappedRow] = []
    faults: list[Fault] = []
    last: MappedRow | None = None
    for one in sorted(sent, key=attrgetter("siret")):
        # The establishments of a unit follow each other, and most have the same digest of it.
        is_same = last and (last.sent.siren, last.sent.unite_hash) == (one.siren, one.unite_hash)
        try:
            last = MappedRow(
                map_split(one.split(), unite=last.mapped if last and is_same else None, on=on), one
            )
        except MappingError as error:
            faults.append(one.fault(error.code, str(error)))
        else:
            rows.append(last)
    return rows, faults


def _loads(text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    # Python's own reader takes a lone surrogate in a name, and NaN in place of a number.
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ContractError("WriteSlice.records is not JSON") from None


def _fault(key: str, record: object, code: str, message: str) -> Fault:
    owner, (of_unite, of_etablissement) = owner_of(record), _statuts(record)
    siren = None if owner is None else siren_of(owner)
    # A record that does not say itself that everybody may see it may hide something.
    is_open = of_unite == of_etablissement == OPEN_TO_ALL
    return Fault(
        key,
        siren,
        payload=_payload(record) if owner and is_open else None,
        code=code,
        message=message[:MAX_MESSAGE_LENGTH],
        withdrawn=siren
        if is_masking(of_unite)
        else owner
        if is_masking(of_etablissement)
        else None,
    )


def _payload(record: object) -> bytes | None:
    try:
        return json.dumps(record).encode()
    except RecursionError:
        return None


def _statuts(record: object) -> tuple[object, object]:
    """Return the status of the unit and that of the establishment; None where one is not said."""
    if not isinstance(record, Mapping):
        return None, None
    unite = record.get("uniteLegale")
    statut_unite = unite.get("statutDiffusionUniteLegale") if isinstance(unite, Mapping) else None
    return statut_unite, record.get("statutDiffusionEtablissement")
