import pytest
from typer.testing import CliRunner

from services.fetcher.__main__ import app
from shared.errors import UserError


@pytest.mark.parametrize("limit", ["0", "-1", "1000000001", "1" + "0" * 30])
def test_an_absurd_limit_is_refused(limit: str) -> None:
    result = CliRunner().invoke(app, ["import", "--departement", "33", "--limit", limit])
    assert isinstance(result.exception, UserError)
    assert f"--limit {limit} makes no sense" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--per-day", "35000"], "--per-day goes with --continuous; for one share alone: --limit"),
        (["--continuous"], "--continuous needs a daily share: --per-day 35000 --continuous"),
        (["--per-day", "0", "--continuous"], "--per-day 0 makes no sense"),
        (["--per-day", "1000000001", "--continuous"], "--per-day 1000000001 makes no sense"),
        (["--day-seconds", "60"], "--day-seconds goes with --per-day and --continuous"),
        (["--per-day", "5", "--continuous", "--day-seconds", "0"], "--day-seconds 0 makes no"),
        (["--per-day", "5", "--continuous", "--day-seconds", "nan"], "--day-seconds nan makes no"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_absurd_rhythm_is_refused(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["import", "--departement", "33", *arguments])
    assert isinstance(result.exception, UserError)
    assert said in str(result.exception)
