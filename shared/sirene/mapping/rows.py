"""The rows that a record of INSEE's API becomes, each as one line of COPY. Pure."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar, get_args

from shared.sirene.mapping import insee_keys
from shared.sirene.mapping.copy_values import texts_of
from shared.sirene.mapping.unknown_codes import NO_CODES, Codes
from shared.sirene.records import Etablissement, PeriodeEtablissement, UniteLegale

# The columns of each line, in the order in which `mapper` reads them.
_OF_ETABLISSEMENT: Final = """
    siret siren nic statut_diffusion date_dernier_traitement date_creation siege nombre_periodes
    date_debut coordonnee_lambert_abscisse coordonnee_lambert_ordonnee departement region
"""
_OF_UNITE: Final = "siren statut_diffusion date_dernier_traitement date_creation unite_purgee"
_OF_PERIODE: Final = "siret siren rang date_debut date_fin"
ETABLISSEMENT_COLUMNS: Final = (
    *_OF_ETABLISSEMENT.split(),
    *insee_keys.ETABLISSEMENT,
    *insee_keys.PERIODE_ETABLISSEMENT,
    *insee_keys.ADRESSE,
    *insee_keys.ADRESSE2,
)
UNITE_COLUMNS: Final = (*_OF_UNITE.split(), *insee_keys.UNITE)
PERIODE_COLUMNS: Final = (
    *_OF_PERIODE.split(),
    *insee_keys.PERIODE_ETABLISSEMENT,
    *insee_keys.CHANGEMENTS,
)


class MappedRecord(NamedTuple):
    """One establishment, its unit and its history, oldest period first.

    The rows are lines of the columns above, which go to COPY as they are. `unknown_keys` are
    `block.key`, at most `insee_keys.MAX_UNKNOWN_KEYS`. `turns_on` is the day on which another
    period of the history begins to hold.
    """

    siret: str
    unite_line: str
    etablissement_line: str
    periodes_lines: Sequence[str]
    unknown_keys: frozenset[str] = frozenset()
    turns_on: dt.date | None = None
    unknown_codes: Codes = NO_CODES

    @property
    def unite(self) -> UniteLegale:
        return record_of(UniteLegale, UNITE_COLUMNS, self.unite_line)

    @property
    def etablissement(self) -> Etablissement:
        return record_of(Etablissement, ETABLISSEMENT_COLUMNS, self.etablissement_line)

    @property
    def periodes(self) -> tuple[PeriodeEtablissement, ...]:
        return tuple(
            record_of(PeriodeEtablissement, PERIODE_COLUMNS, line) for line in self.periodes_lines
        )


@dataclass(frozen=True, slots=True)
class MappedUnite:
    unite: UniteLegale
    unknown_keys: frozenset[str] = field(default_factory=frozenset)


RecordT = TypeVar("RecordT", UniteLegale, Etablissement, PeriodeEtablissement)

_READ: Mapping[object, Callable[[str], Any]] = {
    str: str,
    bool: "t".__eq__,
    int: int,
    float: float,
    dt.date: dt.date.fromisoformat,
    dt.datetime: dt.datetime.fromisoformat,
}


_READERS: Mapping[type[Any], Mapping[str, Callable[[str], Any]]] = {
    kind: {f.name: _READ[(get_args(f.type) or (f.type,))[0]] for f in dataclasses.fields(kind)}
    for kind in (UniteLegale, Etablissement, PeriodeEtablissement)
}


def record_of(kind: type[RecordT], names: Iterable[str], line: str) -> RecordT:
    """Read the line back into a record; `names` are its columns in order."""
    read = _READERS[kind]
    return kind(
        **{  # type: ignore[arg-type]  # as mapped
            name: read[name](text) if text else None
            for name, text in zip(names, texts_of(line), strict=True)
        }
    )
