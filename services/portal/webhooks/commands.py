"""Commands for the receivers of changes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated

import typer

from services.portal.webhooks import receivers
from services.portal.webhooks.receivers import NewReceiver
from services.portal.webhooks.sender import WebhookDatabases
from services.portal.webhooks.settings import WebhookSettings
from shared.db.engine import temporary_engine
from shared.page_changes import ChangeKind
from shared.settings import load
from shared.terminal.cli import AsJson, make_app, print_json, print_result, say

app = make_app("Tell receivers of the pages that changed: add, list, pause, resume, remove.")
Name = Annotated[str, typer.Argument(help="The receiver, as you call it.")]
_MOST_ATTEMPTS = 1000


@app.command()
def add(
    name: Name,
    url: Annotated[str, typer.Argument(help="Where messages go: https://HOST/PATH")],
    kind: Annotated[
        list[ChangeKind] | None,
        typer.Option(help="Tell changes of this kind only; may come several times."),
    ] = None,
    departement: Annotated[
        list[str] | None,
        typer.Option(help="Tell changes in this département only; may come several times."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a receiver, and print the secret that signs its messages: it is shown this once.

    The receiver is told of what changes from now on. Erasures are told whatever it asked for.
    """
    receivers.check_address(url, private=load(WebhookSettings).webhooks_private)
    receiver = NewReceiver(name, url, [each.value for each in kind or ()], departement or ())
    with _databases() as databases, databases.control.begin() as control:
        secret = receivers.add(control, databases.shards, receiver)
    shown = {"name": name, "secret": secret}
    print_result(shown, secret, f"signs what {name} is sent: docs/api.md", as_json=as_json)


@app.command(name="list")
def list_receivers(as_json: AsJson = False) -> None:
    """List the receivers: when each took its last message, or since when it takes none."""
    with _databases() as databases, databases.control.connect() as control:
        rows = receivers.listed(control)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        state = "told"
        if row["failing_since"] is not None:
            state = f"takes nothing since {row['failing_since']:%Y-%m-%d %H:%M}"
        if row["paused_because"] is not None:
            state = f"paused: {row['paused_because']}"
        last = row["delivered_at"]
        took = "never took a message" if last is None else f"last took one {last:%Y-%m-%d %H:%M}"
        say(f"{row['name']}: {state}, {took}: {row['url']}")
    if not rows:
        say("nobody is told yet: ./sirenade portal webhooks add NAME URL")


@app.command()
def attempts(
    name: Name,
    most: Annotated[int, typer.Option(min=1, max=_MOST_ATTEMPTS, help="The latest ones.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the latest attempts to reach a receiver; they are kept for 30 days."""
    with _databases() as databases, databases.control.connect() as control:
        rows = receivers.attempts(control, name, most=most)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        status = "" if row["status"] is None else f" (HTTP {row['status']})"
        say(
            f"{row['attempted_at']:%Y-%m-%d %H:%M:%S} {row['outcome']}{status},"
            f" {row['changes']} changes, {row['message_id']}"
        )
    if not rows:
        say("no message was sent in 30 days")


@app.command()
def pause(name: Name) -> None:
    """Send nothing more; `resume` goes on there, for 30 days."""
    with _databases() as databases, databases.control.begin() as control:
        receivers.pause(control, name)
    say(f"{name} is paused")


@app.command()
def resume(name: Name) -> None:
    """Go on where a receiver was paused, at once."""
    with _databases() as databases, databases.control.begin() as control:
        kept = receivers.resume(control, databases.shards, name)
    say(
        f"{name} is told of what it missed"
        if kept
        else f"{name} is told of what changes from now on: what it missed is kept no more, and"
        " it reads the pages anew"
    )


@app.command()
def remove(name: Name) -> None:
    """Forget a receiver, its secret and its attempts."""
    with _databases() as databases, databases.control.begin() as control:
        receivers.remove(control, name)
    say(f"{name} is forgotten")


@contextmanager
def _databases() -> Iterator[WebhookDatabases]:
    settings = load(WebhookSettings)
    options = {"application_name": "sirenade-portal-webhooks"}
    with ExitStack() as opened:
        control, *shards = [
            opened.enter_context(temporary_engine(url, **options))
            for url in (settings.database_url.get_secret_value(), *settings.shard_urls)
        ]
        yield WebhookDatabases(control, shards)
