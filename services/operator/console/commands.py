"""The commands of `./sirenade console`: serve it, and keep its accounts."""

from typing import Annotated

import typer

from services.operator.connections import open_engine
from services.operator.console import accounts, journal
from services.operator.output import print_rows
from shared.terminal.cli import AsJson, make_app, print_result, say

app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode="rich")
users = make_app("Make, list and end the accounts of the console.")
app.add_typer(users, name="users")

_Login = Annotated[str, typer.Argument(metavar="LOGIN", help="The account, like claire.")]
_Role = Annotated[str, typer.Option(help="reader, editor, operator or admin.")]
# Accounts are made at the terminal of the machine, and by no account.
_BY = "-"
_FIRST = "admin"


@app.callback()
def console(
    context: typer.Context,
    one_time_login: Annotated[
        bool,
        typer.Option(
            "--one-time-login", help=f"Print a password of the account {_FIRST} that works once."
        ),
    ] = False,
) -> None:
    """Serve the web console of operators and editors until SIGTERM.

    It listens on 127.0.0.1; settings come from SIRENADE_* variables.

    Example: ./sirenade console users add claire --role editor
    """
    if context.invoked_subcommand is not None:
        return
    # The packages of the web are needed here alone.
    from services.operator.console.main import main  # noqa: PLC0415  as above

    if one_time_login:
        say(f"one-time login: {_FIRST} / {_made(_FIRST, 'admin', anew=True)}")
    main()


@users.command()
def add(
    login: _Login,
    role: _Role = "reader",
    anew: Annotated[
        bool, typer.Option("--anew", help="Give an account that exists another password.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make an account and print a password that works once; its owner then chooses another.

    Example: ./sirenade console users add claire --role editor
    """
    password = _made(login, role, anew=anew)
    print_result({"login": login, "password": password}, f"{login} / {password}", as_json=as_json)


@users.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the accounts, their roles and their open sessions."""
    with open_engine().connect() as connection:
        found = accounts.list_accounts(connection)
    print_rows(found, "accounts of the console", as_json=as_json, empty="no account")


@users.command("role")
def set_role(login: _Login, role: Annotated[str, typer.Argument(metavar="ROLE")]) -> None:
    """Give an account another role, from its next request on."""
    with open_engine().begin() as connection:
        accounts.set_role(connection, login, role)
        journal.note(connection, _BY, "users.role", f"{login} {role}")
    say(f"{login} is {role}")


@users.command()
def end_sessions(login: _Login) -> None:
    """End all sessions of an account: it logs in again."""
    with open_engine().begin() as connection:
        ended = accounts.end_sessions(connection, login)
        journal.note(connection, _BY, "users.end-sessions", login)
    say(f"{ended} sessions ended")


@users.command()
def remove(login: _Login) -> None:
    """Delete an account and end its sessions. The journal keeps what it did."""
    with open_engine().begin() as connection:
        accounts.remove_account(connection, login)
        journal.note(connection, _BY, "users.remove", login)
    say(f"{login} is removed")


def _made(login: str, role: str, *, anew: bool) -> str:
    with open_engine().begin() as connection:
        password = accounts.put_account(connection, login, role, anew=anew)
        journal.note(connection, _BY, "users.add", f"{login} {role}")
    return password
