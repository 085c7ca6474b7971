import pytest
import typer
from sqlalchemy.exc import OperationalError, ProgrammingError

from shared.errors import UserError
from shared.terminal import cli
from tests.sqlstates import server_error


def run(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def command() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        cli.run(app, name="sirenade")
    assert isinstance(ended.value.code, int)
    return ended.value.code, capsys.readouterr().err


@pytest.fixture(autouse=True)
def _no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["sirenade"])


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("use [33], not [/x]"), "error: use [33], not [/x]\n"),
        (
            UserError("settings:", "A: no port", "B: \x1b]0;T\x07\nerror: forged"),
            "error: settings:\n  A: no port\n  B: \\x1b]0;T\\x07\\nerror: forged\n",
        ),
        (UserError("said: \u202e\nerror: forged"), "error: said: \\u202e\\nerror: forged\n"),
        (MemoryError(), "error: this takes more memory than the process may have\n"),
        (PermissionError(13, "Permission denied", "/a/b"), "error: Permission denied: /a/b\n"),
        (OSError(28, "No space left on device"), "error: No space left on device\n"),
        (
            OperationalError("SELECT 1", {}, Exception("no route\nDETAIL")),
            "error: the database does not answer: no route\n",
        ),
        (
            ProgrammingError("SELECT 1", {}, Exception("permission denied for table quota\nX")),
            "error: the database refuses: permission denied for table quota\n",
        ),
        (
            OperationalError("SELECT 1", {}, server_error("55P03", "lock timeout")),
            "error: the database refuses: lock timeout (SQLSTATE 55P03)\n",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_person_can_mend_is_one_line_and_status_2(
    error: Exception, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(error, capsys) == (2, line)


def test_a_bug_keeps_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def command() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cli.run(app, name="sirenade")
    assert capsys.readouterr().err == ""


def test_each_word_is_a_line_and_json_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    cli.say("un\nfaux", "\x9b31m")
    cli.print_json({"nom": "\u202eé\n"}, ascii_only=False)
    cli.print_result({}, "un", "deux", as_json=False)
    assert capsys.readouterr().out == ('un\\nfaux\n\\x9b31m\n{"nom": "\\u202eé\\n"}\nun\ndeux\n')
