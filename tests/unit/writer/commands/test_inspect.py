import json
import os
import subprocess
import sys
from pathlib import Path

from services.writer.commands.inspect import inspect_lines

RECORDED = Path(__file__).parents[3] / "fixtures" / "insee"


def _inspect(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.writer", "inspect", *arguments],
        capture_output=True,
        text=True,
        check=False,
        # No setting is needed to look at a file.
        env={name: value for name, value in os.environ.items() if "SIRENADE" not in name},
    )


def test_each_record_gives_one_line_of_its_rows() -> None:
    answer = _inspect(str(RECORDED / "etablissements.jsonl"))
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len(lines) == 33
    assert all(
        {"unite_legale", "etablissement", "pro_localisation"} <= line.keys() for line in lines
    )


def test_units_are_rows_too() -> None:
    lines = (RECORDED / "unites_legales.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [json.loads(answer) for answer in inspect_lines(lines)]
    assert [answer["unite_legale"]["siren"] for answer in answers] == [
        json.loads(line)["siren"] for line in lines
    ]


def test_a_bad_line_is_its_error_code_and_the_others_go_on() -> None:
    answers = [json.loads(a) for a in inspect_lines(["{", "\n", "3", '{"siret": "1"}'])]
    assert [answer["error"] for answer in answers] == ["bad_json", "bad_type", "bad_siret"]


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        answer = _inspect(str(path))
        assert answer.returncode == 2
        assert answer.stdout == ""
        assert len(answer.stderr.splitlines()) == 1
        assert "cannot read" in answer.stderr


def test_a_file_of_bytes_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(b"\xff\xfe\x00")
    answer = _inspect(str(path))
    assert answer.returncode == 2
    assert len(answer.stderr.splitlines()) == 1
