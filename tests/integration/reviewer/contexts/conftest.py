"""A reader of contexts over the small register, and what says that it is complete."""

import datetime as dt
import json
from typing import Any

import pytest
from sqlalchemy import Engine

from services.reviewer.contexts.reader import ContextReader
from services.reviewer.texts.subject_rows import read_subjects
from shared.clock import Clock
from shared.db.tables import etablissements
from shared.sirene.context import Context
from tests.integration.reviewer.conftest import Register


class Contexts:
    """Reads contexts anew each time, and certifies scopes."""

    def __init__(self, engine: Engine, register: Register) -> None:
        self.engine = engine
        self.register = register

    @property
    def reader(self) -> ContextReader:
        return ContextReader(self.engine, [self.engine], Clock())

    def certify(self, **scope: Any) -> None:
        self.register.execute(
            "INSERT INTO certificates (scope, status, informations_before, finished_at)"
            " VALUES (CAST(:scope AS jsonb), 'agree', localtimestamp, now())",
            scope=json.dumps(scope),
        )

    def add_site(self, number: int, **values: Any) -> None:
        """Give the unit an establishment without a page, like its first one but for the values."""
        siren = self.register.siren(number)
        changed = {"siret": f"{siren}00029", "nic": "00029"} | values
        names = [column.name for column in etablissements.columns]
        columns = ", ".join(f":{name}" if name in changed else name for name in names)
        self.register.execute(
            f"INSERT INTO etablissements ({', '.join(names)})"
            f" SELECT {columns} FROM etablissements WHERE siret = :first",
            first=f"{siren}00011",
            **changed,
        )

    def add_periods(self, number: int, *signs: str | None) -> None:
        """Store a year's period for each sign, the first one since 2010."""
        siren = self.register.siren(number)
        for rang, sign in enumerate(signs):
            self.register.execute(
                "INSERT INTO periodes_etablissements (siret, siren, rang, date_debut, enseigne1,"
                " activite_principale, nomenclature_activite_principale)"
                " VALUES (:siret, :siren, :rang, :day, :sign, '43.32A', 'NAFRev2')",
                siret=f"{siren}00011",
                siren=siren,
                rang=rang,
                day=dt.date(2010 + rang, 1, 1),
                sign=sign,
            )

    def count_periods(self, number: int) -> None:
        """Store the number of periods that INSEE counts."""
        self.register.execute("UPDATE etablissements SET nombre_periodes = :number", number=number)

    def of(self, avis_id: int) -> Context:
        with self.engine.connect() as connection:
            subjects = read_subjects(connection, [avis_id])
        return self.reader.describe(subjects)[avis_id].context


@pytest.fixture
def contexts(engine: Engine, register: Register) -> Contexts:
    return Contexts(engine, register)
