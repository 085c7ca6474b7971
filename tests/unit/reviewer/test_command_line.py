"""The reviewer's commands that need no server, as a person calls them."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def call(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    environment = {name: os.environ[name] for name in os.environ if not name.startswith("SIRENADE")}
    return subprocess.run(
        [sys.executable, "-m", "services.reviewer", *arguments],
        cwd=ROOT,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_check_prints_one_verdict_a_line(tmp_path: Path) -> None:
    line = {"facts": {"nom": "ATELIER", "commune": "Bordeaux"}, "text": "Le meilleur !"}
    file = tmp_path / "texts.jsonl"
    file.write_text(json.dumps(line) + "\n\n{broken\n", encoding="utf-8")
    done = call("avis", "check", str(file))
    assert done.returncode == 0, done.stderr
    verdict, error = map(json.loads, done.stdout.splitlines())
    assert verdict["accepted"] is False
    assert "superlative" in verdict["reasons"]
    assert "error" in error
    assert call("avis", "check", "-", stdin=file.read_text(encoding="utf-8")).stdout == done.stdout


def test_a_file_that_cannot_be_read_is_one_clear_line(tmp_path: Path) -> None:
    for file in (tmp_path / "absent.jsonl", tmp_path):
        done = call("avis", "check", str(file))
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1
        assert str(file) in done.stderr


def test_a_line_that_is_not_utf_8_costs_only_itself(tmp_path: Path) -> None:
    line = json.dumps({"facts": {"nom": "ATELIER"}, "text": "Le meilleur !"})
    file = tmp_path / "latin1.jsonl"
    file.write_bytes(f"{line}\n".encode() + '{"text": "é"}\n'.encode("latin-1") + line.encode())
    done = call("avis", "check", str(file))
    assert done.returncode == 0, done.stderr
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert second == {"error": "not UTF-8"}
    assert first == third
    assert first["accepted"] is False


def test_a_reader_that_has_seen_enough_causes_no_error_message(tmp_path: Path) -> None:
    line = json.dumps({"facts": {"nom": "ATELIER"}, "text": "Le meilleur !"}) + "\n"
    file = tmp_path / "texts.jsonl"
    file.write_text(line * 3000, encoding="utf-8")
    done = subprocess.run(
        ["sh", "-c", '"$0" -m services.reviewer avis check "$1" | head -1', sys.executable, file],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def test_a_siret_that_is_none_is_one_clear_line() -> None:
    done = call("avis", "show", "1234")
    assert done.returncode == 2
    assert done.stderr == "error: a SIRET has 14 digits\n"


def test_show_without_a_database_says_which_setting_is_missing() -> None:
    done = call("avis", "show", "552 100 554 00013")
    assert done.returncode == 2
    assert "SIRENADE_DATABASE_URL" in done.stderr


def test_every_subcommand_explains_itself() -> None:
    for command in (["run"], ["avis", "show"], ["avis", "check"]):
        done = call(*command, "--help")
        assert done.returncode == 0
        assert "Usage" in done.stdout
