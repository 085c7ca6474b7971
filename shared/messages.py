"""The messages between services: frozen, versioned, validated once, where they arrive. Pure.

A queue's name carries the version of its messages: a change that an older consumer cannot read
gets a new queue. A field that has its default is left out, so that a consumer that does not know
the field can read the message.
"""

from collections.abc import Iterable
from dataclasses import MISSING, asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from shared.errors import Rejected
from shared.sharding import BUCKETS

FETCH_QUEUE = "sirene.fetch.v1"
WRITE_QUEUE = "sirene.write.v1"
REVIEW_QUEUE = "sirene.review.v1"

RECORDS_PER_SLICE = 500
# A record has some 4 kB; no slice's records have sixteen times that on average.
_LONGEST_RECORDS = RECORDS_PER_SLICE * 64 * 1024
# A relay sends 25.
_MOST_AVIS = 10_000

# The ranges of the columns: a message with a larger number would fail and come again for ever.
_IDS, _NUMBERS = range(2**63), range(2**31)
_YEARS = range(2000, 3000)


class ContractError(Rejected):
    """Raised when a message does not have the shape that its queue promises."""


@dataclass(frozen=True)
class _Message:
    def to_wire(self) -> dict[str, Any]:
        defaults = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in asdict(self).items() if value != defaults[name]}

    @classmethod
    def from_wire(cls, wire: dict[str, Any], *others: object) -> Self:
        """Build the message. Raises `ContractError` that names the field, never its content.

        `others` are positional arguments of the actor; a sound message has none.
        """
        if others:
            raise ContractError(f"{cls.__name__}: an argument without a name")
        expected = {field.name: field.type for field in fields(cls)}
        required = {field.name for field in fields(cls) if field.default is MISSING}
        if odd := required - wire.keys() | wire.keys() - expected.keys():
            raise ContractError(f"{cls.__name__}: missing or unknown: {', '.join(sorted(odd))}")
        for name, value in wire.items():
            type_ = expected[name]
            assert isinstance(type_, type)
            if type(value) is not type_:
                raise ContractError(f"{cls.__name__}.{name} is not of type {type_.__name__}")
            if type_ is int and value not in (_IDS if name.endswith("_id") else _NUMBERS):
                raise ContractError(f"{cls.__name__}.{name} is out of range")
        message = cls(**wire)
        message._check()
        return message

    def _check(self) -> None:
        """Raise `ContractError` for a value that its type does not exclude."""


@dataclass(frozen=True)
class FetchPage(_Message):
    """Fetch one INSEE page of a batch; the cursor is in the database."""

    QUEUE: ClassVar[str] = FETCH_QUEUE
    ACTOR: ClassVar[str] = "fetch_page"

    batch_id: int
    page: int


@dataclass(frozen=True)
class WriteSlice(_Message):
    """Write at most `RECORDS_PER_SLICE` records of an INSEE page; none where the page is empty."""

    QUEUE: ClassVar[str] = WRITE_QUEUE
    ACTOR: ClassVar[str] = "write_slice"

    batch_id: int
    page: int
    fetch_id: int
    slice: int
    # ISO 8601 with offset: the instant at which the quota granted the slot of the GET.
    fetched_at: str
    # A JSON array of INSEE's records; only the mapper looks into it.
    records: str
    # The shard of all its records.
    shard: int = 0
    # One line for each record (`shared.sirene.digests`); each record is then one line, too.
    digests: str = ""
    # A person has asked for these units: they are stored whatever stands.
    refresh: bool = False

    @staticmethod
    def array_of(lines: Iterable[bytes]) -> str:
        """Return records, each a line of JSON, as an array that `record_lines` can cut again."""
        return (b"[\n" + b"\n,".join(lines) + b"\n]").decode()

    def record_lines(self) -> list[bytes]:
        """Cut what `array_of` made into undecoded records; each but the first begins with a comma.

        It cuts bytes: one unusual character would make every character of a `str` take four bytes.
        """
        return self.records.encode(errors="surrogatepass").split(b"\n")[1:-1]

    def _check(self) -> None:
        _check_shard(self)
        if self.digests.count("\n") > RECORDS_PER_SLICE:
            raise ContractError("WriteSlice.digests has more lines than a slice has records")
        is_long = bool(self.digests) and self.records.count("\n") > RECORDS_PER_SLICE + 1
        if is_long or len(self.records) > _LONGEST_RECORDS:
            raise ContractError("WriteSlice.records is longer than the records of a slice")
        try:
            fetched_at = datetime.fromisoformat(self.fetched_at)
            offset = fetched_at.utcoffset()
        except ValueError:
            offset = None
        if offset is None or offset % timedelta(minutes=1) or fetched_at.year not in _YEARS:
            raise ContractError("WriteSlice.fetched_at is not a date with an offset")


@dataclass(frozen=True)
class ReviewAvis(_Message):
    """Make, check and store the texts of these avis."""

    QUEUE: ClassVar[str] = REVIEW_QUEUE
    ACTOR: ClassVar[str] = "review_avis"

    avis_ids: list  # type: ignore[type-arg]  # checked against the bare type at the edge
    # The shard of all these avis.
    shard: int = 0

    def _check(self) -> None:
        _check_shard(self)
        if len(self.avis_ids) > _MOST_AVIS:
            raise ContractError("ReviewAvis.avis_ids holds more ids than a message has")
        if not all(type(avis_id) is int and avis_id in _IDS for avis_id in self.avis_ids):
            raise ContractError("ReviewAvis.avis_ids holds something else than ids")


def _check_shard(message: WriteSlice | ReviewAvis) -> None:
    if message.shard not in range(BUCKETS):
        raise ContractError(f"{type(message).__name__}.shard is none of {BUCKETS}")
