"""Units and establishments as a query reads them: a whole record, or one made when needed."""

from collections.abc import Callable, Mapping, Sequence

from services.simulator.generation.diffusion import MASK, is_hidden
from services.simulator.record import Record, flattened, periods_at, periods_of


class RecordRow:
    """A row with its whole record, masked or not."""

    def __init__(self, record: Record, date: str | None) -> None:
        self._flat = flattened(record)
        self._all_periods = periods_of(record)
        self._periods = periods_at(self._all_periods, date)

    def value(self, field: str) -> object:
        return self._flat.get(field)

    def periodes(self) -> Sequence[Record]:
        return self._periods

    def hides(self, field: str) -> bool:
        if MASK in (self._flat.get(field), *(p.get(field) for p in self._all_periods)):
            return True
        newest = self._all_periods[0] if self._all_periods else {}
        forme = self._flat.get("categorieJuridiqueUniteLegale") or newest.get(
            "categorieJuridiqueUniteLegale"
        )
        return is_hidden(
            field,
            etablissement=str(self._flat.get("statutDiffusionEtablissement")),
            unite=str(self._flat.get("statutDiffusionUniteLegale")),
            forme=str(forme),
        )


class LazyRow:
    """A generated row: a few values cost little; any other one builds the record, once."""

    __slots__ = ("_build", "_cheap", "_date", "_full", "_index", "_periods")

    def __init__(
        self,
        cheap: Mapping[str, Callable[[int], object]],
        periods: Callable[[int], Sequence[Record]],
        build: Callable[[int], Record],
        index: int,
        date: str | None,
    ) -> None:
        self._cheap, self._periods, self._build = cheap, periods, build
        self._index, self._date = index, date
        self._full: RecordRow | None = None

    def value(self, field: str) -> object:
        cheap = self._cheap.get(field)
        return cheap(self._index) if cheap is not None else self._whole().value(field)

    def periodes(self) -> Sequence[Record]:
        return periods_at(self._periods(self._index), self._date)

    def hides(self, field: str) -> bool:
        value = self.value
        return is_hidden(
            field,
            etablissement=str(value("statutDiffusionEtablissement")),
            unite=str(value("statutDiffusionUniteLegale")),
            forme=str(value("categorieJuridiqueUniteLegale")),
        )

    def _whole(self) -> RecordRow:
        if self._full is None:
            self._full = RecordRow(self._build(self._index), self._date)
        return self._full
