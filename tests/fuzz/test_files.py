"""A command that is given any bytes for a file ends with one clear line, and never a traceback."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from services.fetcher.__main__ import app as fetcher
from services.operator.__main__ import app as operator
from services.reviewer.__main__ import app as reviewer
from services.reviewer.providers.settings import read_providers
from services.writer.__main__ import app as writer
from shared.errors import UserError
from tests.fuzz.cases import Fuzz
from tests.fuzz.files import fixed, spoiled
from tests.integration.commands import Answer, sirenade_of

_SIRET = "00000000100011"


@dataclass(frozen=True)
class _Command:
    """A command that takes a file, and the statuses that its help names; 2 is a bad file."""

    app: typer.Typer
    words: str
    name: str
    statuses: tuple[int, ...] = (2,)
    setting: str = ""


_COMMANDS = {
    "inspect": _Command(writer, "inspect", "a.jsonl", (0, 2)),
    "check": _Command(reviewer, "avis check", "a.jsonl", (0, 2)),
    "logs": _Command(operator, "logs", "a.jsonl", (0, 2)),
    "logs, packed": _Command(operator, "logs", "a.jsonl.gz", (0, 2)),
    "logs, merged": _Command(operator, "logs a.jsonl", "a.jsonl", (0, 2)),
    "stock": _Command(writer, "stock --plan", "a.csv", (0, 2)),
    "stock, loaded": _Command(writer, "stock", "a.csv", (0, 1, 2)),
    "reviews": _Command(reviewer, "reviews import", "a.jsonl", (0, 1, 2)),
    "reviews, CSV": _Command(reviewer, "reviews import", "a.csv", (0, 1, 2)),
    "whose": _Command(reviewer, "avis whose", "a.txt", (1, 2)),
    "edit": _Command(reviewer, f"avis edit {_SIRET} --reason x --wait 0 --file", "a.txt", (1, 2)),
    "forget": _Command(writer, "forget --apply", "a.jsonl", (0, 2)),
    "key": _Command(fetcher, "lookup 552032534", "a", (2,), "SIRENADE_INSEE_KEY_FILE"),
    "database": _Command(operator, "stats", "a", (2,), "SIRENADE_DATABASE_URL_FILE"),
    "shards": _Command(operator, "stats", "a", (0, 2), "SIRENADE_SHARD_DATABASE_URLS_FILE"),
    "broker": _Command(operator, "monitor --once", "a", (0, 2), "SIRENADE_BROKER_URL_FILE"),
    "certificates": _Command(fetcher, "lookup 552032534", "a", (2,), "SIRENADE_HTTPS_CA_FILE"),
    "credentials": _Command(
        operator, "backup --list", "a", (2,), "SIRENADE_ARCHIVE_CREDENTIALS_FILE"
    ),
}

Run = Callable[[_Command, bytes], Answer]


@pytest.fixture
def run(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "DATABASE_URL": database_url,
        "BROKER_URL": "amqp://nobody:none@127.0.0.1:1/none",
        "INSEE_KEY": "key",
        "INSEE_URL": "http://127.0.0.1:1",
        "ARCHIVE_URL": "az://container/folder",
    }.items():
        monkeypatch.setenv(f"SIRENADE_{name}", value)

    def give(command: _Command, content: bytes) -> Answer:
        path = tmp_path / command.name
        path.write_bytes(content)
        sirenade = sirenade_of(command.app, monkeypatch, capsys)
        if not command.setting:
            return sirenade(*command.words.split(), command.name)
        with monkeypatch.context() as environment:
            environment.setenv(command.setting, str(path))
            return sirenade(*command.words.split())

    return give


def _assert_one_line(command: _Command, run: Run, contents: Iterable[bytes]) -> None:
    for content in contents:
        answer = run(command, content)
        assert answer.status in command.statuses, (content[:200], answer)
        if answer.status == 2:
            said = [line for line in answer.err.splitlines() if not line.startswith("  SIRENADE_")]
            errors = [line for line in said if line.startswith("error: ")]
            assert len(errors) == 1, (content[:200], answer.err)
            assert said[-1] == errors[0], (content[:200], answer.err)
        assert "Traceback" not in answer.err


@pytest.mark.parametrize("name", _COMMANDS)
def test_a_file_of_any_bytes_is_one_line(name: str, run: Run) -> None:
    _assert_one_line(_COMMANDS[name], run, fixed())


@pytest.mark.parametrize("name", _COMMANDS)
def test_a_spoiled_file_is_one_line(name: str, run: Run, fuzz: Fuzz) -> None:
    rng = random.Random(fuzz.seed or 0)
    cases = fuzz.examples // (50 if "load" in name else 10)
    _assert_one_line(_COMMANDS[name], run, (spoiled(rng) for _ in range(cases)))


def test_a_file_of_providers_of_any_bytes_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "providers.toml"
    rng = random.Random(1)
    for content in (*fixed(), *(spoiled(rng) for _ in range(100))):
        path.write_bytes(content)
        try:
            read_providers(path)
        except UserError as error:
            said = str(error)
        else:
            said = "a file of providers"
        assert "\n" not in said
