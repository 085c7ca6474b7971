"""The feed of changes, as JSON and as Atom."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import Response

from services.portal.api import parameters as parameter
from services.portal.api.answers import SOURCE, Stamp, fresh
from services.portal.api.changes import atom
from services.portal.api.models import Changement, ChangementsReponse
from services.portal.api.problems import invalid_parameters, problem
from services.portal.api.statements import PAGES_OF_CHANGES
from services.portal.web.connections import PortalDatabases
from shared import page_changes
from shared.db.outages import slowing_down
from shared.page_changes import Changes, Cursor, CursorLost, PageChange

MOST_CHANGES = 1000
END = "fin"
RETRY_SECONDS = 30
"""A reader who has all comes again after this time."""
_BETWEEN_SHARDS = "~"
_PATTERN = r"fin|[0-9]{1,19}\.[0-9]{1,19}(~[0-9]{1,19}\.[0-9]{1,19})*"


def _read_depuis(sent: str) -> str | tuple[Cursor, ...]:
    if (found := sent.strip()) == END:
        return END
    try:
        return tuple(Cursor.parse(each) for each in found.split(_BETWEEN_SHARDS))
    except ValueError:
        raise parameter.InvalidValue(_AWAITED) from None


_AWAITED = "la valeur de `suite` d'une réponse est attendue, ou fin"
CHANGEMENTS_PARAMETERS = (
    parameter.Parameter(
        "depuis",
        "La valeur de `suite` de la réponse précédente ; `fin` : rien de ce qui est passé ; sans"
        " elle, tout ce qui est gardé : 30 jours.",
        {"type": "string", "pattern": f"^({_PATTERN})$"},
        _read_depuis,
    ),
    parameter.whole("limite", "Le nombre de changements.", 1, MOST_CHANGES, default=100),
)


class Changements:
    """Answers with what changed, in the order in which it may be seen, shard by shard."""

    def __init__(
        self, databases: PortalDatabases, logs: Sequence[Engine], stamp: Stamp, base_url: str
    ) -> None:
        """`logs` are engines of the shards, in order."""
        self._databases = databases
        self._logs = logs
        self._stamp = stamp
        self._base_url = base_url

    async def changements(self, request: Request) -> Response:
        changes, following = await self._read(request)
        answer = ChangementsReponse(
            changements=changes,
            suite=following,
            source=SOURCE,
            a_jour_au=await self._stamp.day(),
        )
        return fresh(answer, _retry(changes))

    async def changements_atom(self, request: Request) -> Response:
        changes, following = await self._read(request)
        day = await self._stamp.day()
        head = atom.FeedHead(self._base_url, request.url.path, following, SOURCE, day)
        body = atom.feed(changes, head)
        headers = {"Cache-Control": "no-store", **_retry(changes)}
        return Response(body, headers=headers, media_type=atom.MEDIA_TYPE)

    async def _read(self, request: Request) -> tuple[list[Changement], str]:
        values = parameter.read(CHANGEMENTS_PARAMETERS, request.query_params.multi_items())
        depuis, shards = values["depuis"], len(self._logs)
        after: Sequence[Cursor | None] = [None] * shards if depuis in (None, END) else depuis
        if len(after) != shards:
            raise invalid_parameters({"depuis": _AWAITED})
        limit = 0 if depuis == END else -(-values["limite"] // shards)
        try:
            parts = await asyncio.gather(
                *(self._of_shard(n, since, limit) for n, since in enumerate(after))
            )
        except CursorLost:
            detail = "ce qui a suivi n'est plus gardé : recommencez par ?depuis=fin et une copie"
            raise problem("curseur-perdu", detail) from None
        changes = [change for part, _ in parts for change in part]
        return changes, _BETWEEN_SHARDS.join(str(following) for _, following in parts)

    async def _of_shard(
        self, number: int, after: Cursor | None, limit: int
    ) -> tuple[list[Changement], Cursor]:
        """Return the changes of a shard that may be told, and the place behind them."""
        found = await asyncio.to_thread(_read_log, self._logs[number], after, limit)
        ids = [row.pro_localisation_id for row in found.rows]
        # The pages are read after the log: what an erasure has taken since is not told.
        rows = await self._databases.shards[number].run(PAGES_OF_CHANGES, (ids,))
        pages = {page_id: f"/pages/{slug}" for page_id, slug, is_shown in rows if is_shown}
        told = [
            row for row in found.rows if row.kind == "erased" or row.pro_localisation_id in pages
        ]
        return [_change(row, pages.get(row.pro_localisation_id)) for row in told], found.next


def _read_log(engine: Engine, after: Cursor | None, limit: int) -> Changes:
    with slowing_down(), engine.connect() as connection:
        if limit == 0:
            return Changes((), page_changes.latest(connection))
        return page_changes.read(connection, after, limit)


def _change(row: PageChange, page: str | None) -> Changement:
    """Return a change; an erased page has no address, which was its name."""
    return Changement(
        id=str(row.cursor),
        genre=row.kind.value,
        siret=row.siret,
        change_le=row.changed_at,
        page=None if row.kind == "erased" else page,
    )


def _retry(changes: Sequence[Changement]) -> dict[str, str]:
    return {} if changes else {"Retry-After": str(RETRY_SECONDS)}
