"""The days that pass at the simulator: changes, and a delta that fetches them."""

import datetime as dt
import time
from dataclasses import dataclass, field
from typing import Any

import requests
from sqlalchemy import Engine, Row, text

from services.simulator.api.informations import last_treatment
from services.simulator.options import SimulatorOptions
from shared.imports.orders import order_delta
from shared.imports.treatments import COLLECTIONS
from shared.imports.watermarks import set_watermark

ETABLISSEMENTS_A_DAY = 60
UNITES_A_DAY = 20
_HTTP_SECONDS = 30.0

# Rows that are stored, so that a delta brings them in another state. Only units have a name that
# can change, and only shown values can be compared.
_SOME_ETABLISSEMENTS = text("""
    SELECT siret FROM etablissements WHERE statut_diffusion = 'O'
    ORDER BY md5(siret || :day) LIMIT :number
""")
_SOME_UNITES = text("""
    SELECT siren FROM unites_legales
    WHERE statut_diffusion = 'O' AND categorie_juridique <> '1000'
    ORDER BY md5(siren || :day) LIMIT :number
""")
_STATE = text("""
    SELECT coalesce(bool_or(status IN ('pending', 'running')) FILTER (WHERE id = :import_run),
        false) AS importing,
      count(*) FILTER (WHERE kind = 'delta' AND status IN ('pending', 'running')) AS deltas_open,
      count(*) FILTER (WHERE id = ANY(:deltas) AND status = 'complete') AS deltas_complete
    FROM import_runs
""")
_STORED = text("""
    SELECT siret AS key, numero_voie AS value FROM etablissements WHERE siret = ANY(:keys)
    UNION ALL
    SELECT siren, denomination FROM unites_legales WHERE siren = ANY(:keys)
""")


@dataclass
class Days:
    """Lets a day pass every `every_seconds` of an import, unless a delta fetches the last one."""

    root: str
    engine: Engine
    import_run: int
    every_seconds: float
    deltas: list[int] = field(default_factory=list)
    """The runs that it ordered."""
    changed: dict[str, str] = field(default_factory=dict)
    """The value last set of each SIRET and SIREN that changed."""
    _day: dt.date = field(default_factory=lambda: dt.date.fromisoformat(SimulatorOptions().day))
    _due: float = 0.0

    def begin(self) -> None:
        """Set the watermarks to the simulator's first day, as if all before it were fetched."""
        until = dt.datetime.fromisoformat(last_treatment(self._day.isoformat()))
        with self.engine.begin() as connection:
            for collection in COLLECTIONS:
                set_watermark(connection, collection, until)
        self._due = time.monotonic() + self.every_seconds

    def turn(self) -> None:
        if time.monotonic() < self._due:
            return
        state = self._state()
        if not state.importing or state.deltas_open:
            return
        self._due = max(self._due + self.every_seconds, time.monotonic())
        self._pass_a_day()
        with self.engine.begin() as connection:
            self.deltas.append(order_delta(connection))

    def complete(self) -> int:
        return int(self._state().deltas_complete)

    def stored(self) -> int:
        """Count the changes that are stored as they were last set."""
        with self.engine.connect() as connection:
            rows = connection.execute(_STORED, {"keys": list(self.changed)}).all()
        return sum(self.changed[row.key] == row.value for row in rows)

    def _state(self) -> Row[Any]:
        runs = {"import_run": self.import_run, "deltas": self.deltas}
        with self.engine.connect() as connection:
            return connection.execute(_STATE, runs).one()

    def _pass_a_day(self) -> None:
        """Change some stored rows, dated after the last day's end, and publish one more day."""
        day = self._day.isoformat()
        treated = f"{day}T12:00:00.000"
        with self.engine.connect() as connection:
            chosen = {"day": day, "number": ETABLISSEMENTS_A_DAY}
            sirets = connection.execute(_SOME_ETABLISSEMENTS, chosen).scalars().all()
            chosen["number"] = UNITES_A_DAY
            sirens = connection.execute(_SOME_UNITES, chosen).scalars().all()
        for number, siret in enumerate(sirets):
            self._change("siret", siret, {
                "numeroVoieEtablissement": f"{len(self.deltas)}{number:02d}",
                "dateDernierTraitementEtablissement": treated,
                # A third of them close, and their pro_localisations with them.
                **({} if number % 3 else {"etatAdministratifEtablissement": "F"}),
            })  # fmt: skip
            self.changed[siret] = f"{len(self.deltas)}{number:02d}"
        for number, siren in enumerate(sirens):
            name = f"MAISON {len(self.deltas)} {number:02d}"
            self._change("siren", siren, {
                "denominationUniteLegale": name,
                "dateDernierTraitementUniteLegale": treated,
            })  # fmt: skip
            self.changed[siren] = name
        self._day += dt.timedelta(days=1)
        self._post("__publication", {"day": self._day.isoformat()})

    def _change(self, kind: str, identifier: str, values: dict[str, object]) -> None:
        self._post("__updates", {kind: identifier, "set": values})

    def _post(self, path: str, body: dict[str, object]) -> None:
        answer = requests.post(f"{self.root}/{path}", json=body, timeout=_HTTP_SECONDS)
        answer.raise_for_status()
