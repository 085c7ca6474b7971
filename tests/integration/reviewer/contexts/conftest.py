"""A reader of contexts over the small register, and what says that it is complete."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine

from services.reviewer.contexts.reader import ContextReader
from services.reviewer.texts.subject_rows import read_subjects
from shared.clock import Clock
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

    def of(self, avis_id: int) -> Context:
        with self.engine.connect() as connection:
            subjects = read_subjects(connection, [avis_id])
        return self.reader.describe(subjects)[avis_id].context


@pytest.fixture
def contexts(engine: Engine, register: Register) -> Contexts:
    return Contexts(engine, register)
