"""What travels between the services: frozen, versioned, validated once where it arrives.

A queue's name carries the version of its messages: a change that an older consumer could not
read gets a new queue. A field with a default is left out where it has it, so that whoever does
not know the field can read the message.
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

# Of columns: what the database could not compare would come again for ever.
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
        """Build the message, or raise `ContractError` naming the field (never its content).

        There are no `others`: an actor passes on what it was called with.
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
        """Raise `ContractError` on a value that its type alone does not exclude."""


@dataclass(frozen=True)
class FetchPage(_Message):
    """Fetch one page of a batch; the cursor is in the database."""

    QUEUE: ClassVar[str] = FETCH_QUEUE
    ACTOR: ClassVar[str] = "fetch_page"

    batch_id: int
    page: int


@dataclass(frozen=True)
class WriteSlice(_Message):
    """Write at most `RECORDS_PER_SLICE` records of one page; none for the page of an empty end."""

    QUEUE: ClassVar[str] = WRITE_QUEUE
    ACTOR: ClassVar[str] = "write_slice"

    batch_id: int
    page: int
    fetch_id: int
    slice: int
    # ISO 8601 with offset: when the quota slot of the GET was granted.
    fetched_at: str
    # A JSON array of the API's records, opaque to all but the mapper.
    records: str
    # All of its records' units live there.
    shard: int = 0
    # A line for each record (`shared.sirene.digests`), which then is one line of its own too.
    digests: str = ""

    @staticmethod
    def array_of(lines: Iterable[bytes]) -> str:
        """The records, each in JSON without an end of line, as an array that can be cut again."""
        return (b"[\n" + b"\n,".join(lines) + b"\n]").decode()

    def record_lines(self) -> list[bytes]:
        """The records of such an array, not decoded, each but the first after its comma.

        One sign beyond the usual ones makes every sign of a text four bytes, to cut and to read.
        """
        return self.records.encode(errors="surrogatepass").split(b"\n")[1:-1]

    def _check(self) -> None:
        _check_shard(self)
        try:
            fetched_at = datetime.fromisoformat(self.fetched_at)
            offset = fetched_at.utcoffset()
        except ValueError:
            offset = None
        if offset is None or offset % timedelta(minutes=1) or fetched_at.year not in _YEARS:
            raise ContractError("WriteSlice.fetched_at is not a date with an offset")


@dataclass(frozen=True)
class ReviewAvis(_Message):
    """Generate, check and store the avis of these ids."""

    QUEUE: ClassVar[str] = REVIEW_QUEUE
    ACTOR: ClassVar[str] = "review_avis"

    avis_ids: list  # type: ignore[type-arg]  # checked against the bare type at the edge
    # All of them live there.
    shard: int = 0

    def _check(self) -> None:
        _check_shard(self)
        if not all(type(avis_id) is int and avis_id in _IDS for avis_id in self.avis_ids):
            raise ContractError("ReviewAvis.avis_ids holds something else than ids")


def _check_shard(message: WriteSlice | ReviewAvis) -> None:
    if message.shard not in range(BUCKETS):
        raise ContractError(f"{type(message).__name__}.shard is none of {BUCKETS}")
