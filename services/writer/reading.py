"""From the bytes of a slice to rows and faults: what can be told before the database. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from shared.messages import ContractError, WriteSlice
from shared.sirene.identifiers import is_siret, owner_of, siren_of
from shared.sirene.mapper import MappedRecord, map_record
from shared.sirene.records import OPEN_TO_ALL
from shared.sirene.values import MappingError

MAX_MESSAGE_LENGTH = 200
_PARTIAL = frozenset({"P", "N"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One record that could not be written, as `failed_items` keeps it.

    `key` is the siret, or the record's place where it has none. `payload` is None unless the
    record says itself whose it is and that everybody may see it. `withdrawn` is the siren or siret
    whose data INSEE masks in it.
    """

    key: str
    siren: str | None
    payload: bytes | None
    code: str
    message: str
    withdrawn: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A mapped record and where it came from."""

    mapped: MappedRecord
    record: Mapping[str, object]

    @property
    def siret(self) -> str:
        return self.mapped.etablissement.siret

    def fault(self, code: str, message: str) -> Fault:
        return _fault(self.siret, self.record, code, message)


@dataclass(frozen=True, slots=True)
class ReadSlice:
    """`sirets` are those INSEE listed, sorted and distinct, whether they can be written or not."""

    records: int
    sirets: tuple[str, ...]
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]
    unknown_keys: frozenset[str]


def read_slice(message: WriteSlice) -> ReadSlice:
    """Raise ContractError where the records are no JSON array: nothing in it can be told apart."""
    try:
        records = json.loads(message.records)
    except (ValueError, RecursionError):
        raise ContractError("WriteSlice.records is not JSON") from None
    if not isinstance(records, list):
        raise ContractError("WriteSlice.records is not a JSON array")
    rows: list[Row] = []
    faults: list[Fault] = []
    for index, record in enumerate(records):
        try:
            rows.append(Row(map_record(record), record))
        except MappingError as error:
            place = f"{message.batch_id}/{message.page}/{message.slice}/{index}"
            faults.append(_fault(_siret_of(record) or place, record, error.code, str(error)))
    sirets = {row.siret for row in rows} | {f.key for f in faults if is_siret(f.key)}
    return ReadSlice(
        records=len(records),
        sirets=tuple(sorted(sirets)),
        rows=tuple(rows),
        faults=tuple(faults),
        unknown_keys=frozenset().union(*(row.mapped.unknown_keys for row in rows)),
    )


def _siret_of(record: object) -> str | None:
    siret = record.get("siret") if isinstance(record, Mapping) else None
    return siret if isinstance(siret, str) and is_siret(siret) else None


def _fault(key: str, record: object, code: str, message: str) -> Fault:
    owner = owner_of(record)
    return Fault(
        key=key,
        siren=None if owner is None else siren_of(owner),
        payload=json.dumps(record).encode() if owner and _open_to_all(record) else None,
        code=code,
        message=message[:MAX_MESSAGE_LENGTH],
        withdrawn=_withdrawn(record, owner),
    )


def _withdrawn(record: object, owner: str | None) -> str | None:
    if not isinstance(record, Mapping) or owner is None:
        return None
    unite = record.get("uniteLegale")
    if isinstance(unite, Mapping) and unite.get("statutDiffusionUniteLegale") in _PARTIAL:
        return siren_of(owner)
    return owner if record.get("statutDiffusionEtablissement") in _PARTIAL else None


def _open_to_all(record: object) -> bool:
    """Only on the record's own word: one that says nothing about it may hide something."""
    if not isinstance(record, Mapping):
        return False
    unite = record.get("uniteLegale")
    return (
        isinstance(unite, Mapping)
        and record.get("statutDiffusionEtablissement") == OPEN_TO_ALL
        and unite.get("statutDiffusionUniteLegale") == OPEN_TO_ALL
    )
