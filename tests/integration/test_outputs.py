"""No word of a stranger steers the terminal of who runs a command, or forges a line there.

The register is full of such words, as an older release stored them, and so are errors, orders,
attempts and letters.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from sqlalchemy import Engine, text

from services.fetcher.__main__ import app as fetcher
from services.operator.__main__ import app as operator
from services.reviewer.__main__ import app as reviewer
from services.simulator.generation.vocabulary import STRANGE_NAMES
from services.writer.__main__ import app as writer
from tests.integration.commands import Answer, Sirenade, sirenade_of
from tests.integration.reviewer.conftest import Desk, Register
from tests.raw_server import raw_server, response, saying

WORDS = "|".join(STRANGE_NAMES)
SIRET = "00000000100011"
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
# Two of the strange words, as they are shown.
_TELLING = (r"\x1b]0;TITRE\x07", r"DEUX\nerror: LIGNES")
_STRANGERS_WORDS = """
    UPDATE unites_legales SET denomination = :words, sigle = :words;
    UPDATE etablissements SET enseigne1 = :words, libelle_voie = :words, libelle_commune = :words;
    UPDATE pro_localisations SET nom = :words, nom_source = :words, libelle_activite = :words;
    UPDATE avis SET text = :words, label = :words, display_name = :words,
      json_ld = jsonb_build_object('about', CAST(:words AS text)), held_because = 'asked',
      held_at = now();
    UPDATE avis_attempts SET provider = :words, model = :words, prompt_version = :words,
      text = :words, accepted = false, reasons = ARRAY[:words];
    INSERT INTO avis_orders (siret, siren, kind, verb, ordered_by, reason, override, status,
      refusal) SELECT siret, siren, kind, 'hold', :words, :words, false, 'done', :words FROM avis;
    INSERT INTO import_runs (status, error, warning) VALUES ('running', :words, :words);
    INSERT INTO import_batches (run_id, number, query, departement, status, error)
      SELECT id, 1, :words, :words, 'failed', :words FROM import_runs;
    INSERT INTO failed_items (kind, key, code, message, closed_because)
      VALUES ('write', :words, :words, :words, :words);
    INSERT INTO dead_letters (queue, message_id, actor, reason, body)
      VALUES (:words, :words, :words, :words, convert_to(:words, 'UTF8'));
    INSERT INTO job_slots (job, slot, status, finished_at, result, error)
      VALUES ('archive', '2026-11-30T00:00:00+00:00', 'failed', now(), :words, :words);
    INSERT INTO jobs (job, schedule, next_at) VALUES ('archive', :words, now());
    INSERT INTO review_providers (name, listed, model, prompt_version, weight, max_parallel,
      charges) VALUES (:words, true, :words, :words, 1, 1, true)
"""


@pytest.fixture(autouse=True)
def _strangers_words(engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", database_url)
    monkeypatch.setenv("SIRENADE_BROKER_URL", "amqp://nobody:none@127.0.0.1:1/none")
    monkeypatch.setenv("SIRENADE_INSEE_KEY", "key")
    register, desk = Register(engine), Desk(engine)
    desk.store(*desk.claim(register.add(range(1, 3))))
    with engine.begin() as connection:
        for statement in _STRANGERS_WORDS.split(";\n"):
            connection.execute(text(statement), {"words": WORDS})


@pytest.fixture
def sirenade(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sirenade:
    calls = {each: sirenade_of(each, monkeypatch, capsys) for each in _APPS}

    def call(app: typer.Typer, *arguments: object) -> Answer:
        return calls[app](*arguments)

    return call


_APPS = (fetcher, operator, reviewer, writer)


def _assert_harmless(answer: Answer, command: str) -> None:
    for words in map(_uncoloured, (answer.out, answer.err)):
        signs = {sign for sign in words if not sign.isprintable()} - {"\n"}
        unseen = {sign for sign in signs if unicodedata.category(sign) != "Zs"}
        assert unseen == set(), (command, answer)
        assert "\nerror: LIGNES" not in words, (command, answer)
    assert "Traceback" not in answer.err


def _uncoloured(words: str) -> str:
    return _COLOURS.sub("", words)


# Each command, with strange words that it shows.
_COMMANDS: list[tuple[typer.Typer, str, tuple[str, ...]]] = [
    (operator, "status --once", _TELLING),
    (operator, "monitor --once", ()),
    (operator, "monitor --once --json", ()),
    (operator, "stats", ()),
    (operator, "stats --json", ()),
    (operator, "statement", ()),
    (operator, "statement --json", ()),
    (operator, "schedule", _TELLING),
    (operator, "schedule --json", ()),
    (operator, "reconcile", ()),
    (operator, "failed list", _TELLING),
    (operator, "failed list --json", ()),
    (operator, "failed show write", _TELLING),
    (operator, "failed show 1 --json", ()),
    (operator, "failed retry --all", ()),
    (operator, "dead-letters list", _TELLING),
    (operator, "dead-letters show 1", _TELLING),
    (operator, "dead-letters show 1 --json", ()),
    (operator, "dead-letters replay 1", ()),
    (reviewer, f"avis show {SIRET}", _TELLING),
    (reviewer, f"avis show {SIRET} --json", ()),
    (reviewer, f"avis show {SIRET} --json-ld", ()),
    (reviewer, "avis held", _TELLING),
    (reviewer, "avis held --json", ()),
    (reviewer, "avis budget", _TELLING),
    (reviewer, "avis budget --json", ()),
    (reviewer, "avis forecast", _TELLING),
    (reviewer, "avis forecast --json", ()),
    (reviewer, "avis sweep", ()),
    (reviewer, "rehearse naf2025", _TELLING),
    (reviewer, "rehearse naf2025 --json", ()),
    (fetcher, "certify --departement 33", ()),
    (fetcher, "repair", ()),
    (fetcher, "delta --plan", ()),
    (writer, "forget --export -", ()),
    (writer, "forget 000000001 --force", ()),
]


@pytest.mark.parametrize("colours", [False, True], ids=["plain", "colours"])
def test_no_command_lets_a_word_through(
    sirenade: Sirenade, monkeypatch: pytest.MonkeyPatch, colours: bool
) -> None:
    monkeypatch.setenv("SIRENADE_INSEE_URL", "http://127.0.0.1:1")
    if colours:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
    for app, command, told in _COMMANDS:
        if colours and (not told or command.startswith(("status", "monitor"))):
            # A live view moves the cursor.
            continue
        answer = sirenade(app, *command.split())
        _assert_harmless(answer, command)
        # A cell may break a word.
        words = re.sub(r"[\s│┃]+", "", _uncoloured(answer.out + answer.err))
        for word in told:
            assert re.sub(r"\s+", "", word) in words, (command, answer)


def test_an_answer_of_insee_is_shown_on_one_line(
    sirenade: Sirenade, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.dumps({"header": {"statut": 400, "message": WORDS}}).encode()
    with raw_server(saying(response("400 Bad Request", body))) as server:
        monkeypatch.setenv("SIRENADE_INSEE_URL", server.url)
        for command in ("import --departement 33 --plan", "lookup 552032534"):
            answer = sirenade(fetcher, *command.split())
            assert answer.status == 2
            assert len(answer.err.splitlines()) == 1
            assert "INSEE answers 400" in answer.err
            _assert_harmless(answer, command)


@pytest.mark.parametrize("key", ["clé-€", "key\nX-Other: 1", "\x1b]0;T\x07"])
def test_a_key_that_cannot_be_sent_is_one_line(
    sirenade: Sirenade, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("SIRENADE_INSEE_KEY", key)
    monkeypatch.setenv("SIRENADE_INSEE_URL", "http://127.0.0.1:1")
    answer = sirenade(fetcher, "lookup", "552032534")
    assert (answer.status, answer.err.count("error: ")) == (2, 1)
    assert "SIRENADE_INSEE_KEY: " in answer.err
    assert key not in answer.err


@contextmanager
def _file(folder: Path, name: str, content: str) -> Iterator[Path]:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    yield path


def test_files_of_strangers_are_shown_like_rows(sirenade: Sirenade, tmp_path: Path) -> None:
    event = {"event": WORDS, "level": WORDS, "service": WORDS, "replica": WORDS, WORDS: WORDS}
    raw_line = WORDS.replace("\n", " ")
    header = f'siren,nic,siret,"{raw_line.replace(chr(34), "")}"'
    record = {"siret": SIRET, "siren": SIRET[:9], WORDS: WORDS, "adresseEtablissement": {}}
    for app, command, name, content in (
        (operator, "logs", "a.jsonl", f"{json.dumps(event)}\n{raw_line}\n"),
        (writer, "stock --plan", "a.csv", f"{header}\n"),
        (writer, "inspect", "a.jsonl", f"{json.dumps(record)}\n"),
        (reviewer, "avis check", "a.jsonl", f"{json.dumps({'text': WORDS, 'facts': record})}\n"),
        (reviewer, "avis whose", "a.txt", WORDS),
        (reviewer, "reviews import", "a.jsonl", f"{json.dumps({'format': 2, WORDS: WORDS})}\n"),
        (reviewer, f"avis edit {SIRET} --wait 0 --reason x --file", "a.txt", WORDS),
        (writer, "forget --apply", "a.jsonl", f"{json.dumps({'siren': WORDS})}\n"),
    ):
        with _file(tmp_path, name, content) as path:
            answer = sirenade(app, *command.split(), path)
        _assert_harmless(answer, command)
        assert answer.out or answer.err
    with _file(tmp_path, "log.jsonl", f"{json.dumps(event)}\n") as path:
        assert len(sirenade(operator, "logs", path).out.splitlines()) == 1


@pytest.mark.filterwarnings("ignore:Glyph .* missing from font")
def test_the_report_shows_words_and_no_controls(
    sirenade: Sirenade, engine: Engine, tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    with engine.begin() as connection:
        # The plots have no room for more.
        few = {"model": "</svg><script>\x1b\u202e", "reasons": ["<script>\x1b"]}
        connection.execute(text("UPDATE avis_attempts SET model = :model, reasons = :reasons"), few)
    answer = sirenade(reviewer, "avis", "report", "--out", out)
    assert answer.status == 0, answer.err
    page = out.read_text(encoding="utf-8")
    assert "&lt;script&gt;" in page
    assert not re.search(r"(?i)<(script|b|img|/system)\b|<[^>]+ onmouseover", page)
    assert all(s.isprintable() or s == "\n" or unicodedata.category(s) == "Zs" for s in page)
