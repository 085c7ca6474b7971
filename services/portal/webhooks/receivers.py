"""The receivers of messages: how a person adds, pauses, resumes and removes them."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, text

from services.portal.webhooks.signatures import new_secret
from shared import page_changes
from shared.errors import UserError
from shared.http.egress import is_near
from shared.page_changes import Cursor, CursorLost
from shared.sirene.reference import departements

_ADD = text("""
    INSERT INTO webhooks (name, url, secret, kinds, departements)
    VALUES (:name, :url, :secret, :kinds, :departements)
    ON CONFLICT (name) DO NOTHING RETURNING id
""")
_PLACE = text("""
    INSERT INTO webhook_places (webhook_id, shard, position) VALUES (:id, :shard, :position)
    ON CONFLICT (webhook_id, shard) DO UPDATE SET
      position = excluded.position, pending_rows = 0, failures = 0, failing_since = NULL,
      due_at = now()
""")
_FIND = text("SELECT id FROM webhooks WHERE name = :name")
_PLACES = text("SELECT shard, position FROM webhook_places WHERE webhook_id = :id ORDER BY shard")
# A message that was begun stays as it was: the receiver may have it under its id.
_GO_ON = text("""
    UPDATE webhook_places SET failures = 0, failing_since = NULL, due_at = now()
    WHERE webhook_id = :id
""")
_PAUSE = text("UPDATE webhooks SET paused_because = :because WHERE id = :id")
_LIST = text("""
    SELECT w.name, w.url, w.kinds, w.departements, w.paused_because,
      max(p.failures) AS failures, min(p.failing_since) AS failing_since,
      (SELECT max(attempted_at) FROM webhook_attempts a
       WHERE a.webhook_id = w.id AND outcome = 'delivered') AS delivered_at
    FROM webhooks w LEFT JOIN webhook_places p ON p.webhook_id = w.id
    GROUP BY w.id ORDER BY w.name
""")
_ATTEMPTS = text("""
    SELECT attempted_at, message_id, outcome, status, changes FROM webhook_attempts
    WHERE webhook_id = :id ORDER BY id DESC LIMIT :most
""")
BY_A_PERSON = "somebody asked for it"
_REMOVE = (
    text("DELETE FROM webhook_attempts WHERE webhook_id = :id"),
    text("DELETE FROM webhook_places WHERE webhook_id = :id"),
    text("DELETE FROM webhooks WHERE id = :id"),
)


def check_address(url: str, *, private: bool) -> None:
    """Raise UserError unless messages may go there: https, to no host nearby."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or parts.username or parts.scheme not in {"http", "https"}:
        raise UserError("is no address of a receiver: https://HOST/PATH")
    if not private and (parts.scheme != "https" or is_near(host)):
        raise UserError(
            "the address of a receiver is https, on the Internet;"
            " SIRENADE_WEBHOOKS_PRIVATE=true allows others"
        )


class NewReceiver(NamedTuple):
    """A receiver, and what it wants to be told; empty: everything."""

    name: str
    url: str
    kinds: Collection[str] = ()
    departements: Collection[str] = ()


def add(control: Connection, shards: Sequence[Engine], receiver: NewReceiver) -> str:
    """Add a receiver, who is told of what changes from now on; return its secret.

    Raises UserError where the name is taken, or a département is none.
    """
    unknown = sorted(set(receiver.departements) - departements().keys())
    if unknown:
        raise UserError(f"is no département: {', '.join(unknown)}: use a code like 33, 2A or 974")
    if not receiver.name.strip() or not receiver.name.isprintable():
        raise UserError("a receiver needs a name of printable characters")
    places, secret = _latest(shards), new_secret()
    wanted = {"kinds": sorted(receiver.kinds), "departements": sorted(receiver.departements)}
    row = {**receiver._asdict(), **wanted, "secret": secret}
    if (added := control.execute(_ADD, row).scalar_one_or_none()) is None:
        raise UserError(f"there is a receiver named {receiver.name!r} already")
    _put(control, added, places)
    return secret


def pause(control: Connection, name: str) -> None:
    control.execute(_PAUSE, {"id": find(control, name), "because": BY_A_PERSON})


def resume(control: Connection, shards: Sequence[Engine], name: str) -> bool:
    """Go on where it was paused; return False where that is no longer known, and now counts."""
    webhook_id = find(control, name)
    control.execute(_PAUSE, {"id": webhook_id, "because": None})
    places = control.execute(_PLACES, {"id": webhook_id}).all()
    kept = len(places) == len(shards) and all(
        _is_kept(shards[row.shard], row.position) for row in places
    )
    if kept:
        control.execute(_GO_ON, {"id": webhook_id})
    else:
        _put(control, webhook_id, _latest(shards))
    return kept


def remove(control: Connection, name: str) -> None:
    webhook_id = find(control, name)
    for statement in _REMOVE:
        control.execute(statement, {"id": webhook_id})


def find(control: Connection, name: str) -> int:
    """Return the id of a receiver. Raises UserError where there is none of this name."""
    found: int | None = control.execute(_FIND, {"name": name}).scalar_one_or_none()
    if found is None:
        raise UserError(f"no receiver is named {name!r}: ./sirenade portal webhooks list")
    return found


def listed(control: Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in control.execute(_LIST).mappings()]


def attempts(control: Connection, name: str, *, most: int) -> list[dict[str, Any]]:
    """Return the latest attempts to reach a receiver, the latest first."""
    asked = {"id": find(control, name), "most": most}
    return [dict(row) for row in control.execute(_ATTEMPTS, asked).mappings()]


def _latest(shards: Sequence[Engine]) -> list[str]:
    found = []
    for shard in shards:
        with shard.connect() as connection:
            found.append(str(page_changes.latest(connection)))
    return found


def _is_kept(shard: Engine, position: str) -> bool:
    try:
        with shard.connect() as connection:
            page_changes.read(connection, Cursor.parse(position), 1)
    except CursorLost:
        return False
    return True


def _put(control: Connection, webhook_id: int, places: Sequence[str]) -> None:
    for shard, position in enumerate(places):
        control.execute(_PLACE, {"id": webhook_id, "shard": shard, "position": position})
