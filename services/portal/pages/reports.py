"""The forms of readers: a report of an error, an objection to being shown. A person reads each.

They ask for the siret alone and show no name: a form must not outlive an erasure.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from services.portal.pages.documents import Documents
from services.portal.pages.french import spaced_siret
from services.portal.pages.statements import ADD_REPORT, HAS_PAGE, OPEN_REPORTS
from services.portal.web.connections import PortalDatabases
from services.portal.web.problems import Problem
from shared.controls import without_controls
from shared.db.tables.page_reports import KEPT_DAYS, MOST_CONTACT, MOST_MESSAGE
from shared.sirene.identifiers import is_siret

HTML = "text/html; charset=utf-8"
_NO_STORE = {"Cache-Control": "no-store"}
_THANKS = "/merci"
# More reports of one page tell nothing new, and would fill the table.
_MOST_OPEN = 20
_OWN_SITES = frozenset({None, "same-origin", "none"})


class ReportForm(NamedTuple):
    kind: str
    heading: str
    question: str


class Filled(NamedTuple):
    """The words of a reader, and what is wrong with them."""

    message: str = ""
    contact: str = ""
    fault: str = ""


_BLANK = Filled()
_FORMS: Mapping[str, ReportForm] = {
    "signaler": ReportForm("error", "Signaler une erreur", "Qu’est-ce qui est faux ?"),
    "opposition": ReportForm(
        "opposition", "S’opposer à la diffusion", "Qui êtes-vous, et que faut-il retirer ?"
    ),
}


class Reports:
    def __init__(self, databases: PortalDatabases, documents: Documents) -> None:
        self._databases = databases
        self._documents = documents

    def routes(self) -> Sequence[BaseRoute]:
        return (
            *(Route(f"/{name}/{{siret}}", self.form, methods=["GET", "POST"]) for name in _FORMS),
            Route(_THANKS, self.thanks),
        )

    async def thanks(self, _request: Request) -> Response:
        return Response(self._documents.render("thanks"), media_type=HTML, headers=_NO_STORE)

    async def form(self, request: Request) -> Response:
        form, siret = _FORMS[request.url.path.split("/")[1]], request.path_params["siret"]
        if not is_siret(siret) or not await self._databases.of(siret).run(HAS_PAGE, (siret,)):
            raise Problem(404)
        if request.method != "POST":
            return self._shown(request, form, siret)
        if request.headers.get("sec-fetch-site") not in _OWN_SITES:
            raise Problem(403, detail="Ce formulaire s’envoie depuis sa propre page.")
        fields = parse_qs((await request.body()).decode("utf-8", "replace"))
        message, contact, trap = (
            without_controls(fields.get(name, [""])[0]).strip()
            for name in ("message", "contact", "site")
        )
        if fault := _fault(message, contact):
            return self._shown(request, form, siret, Filled(message, contact, fault))
        # A program fills every field.
        if not trap:
            await self._keep(form, siret, message, contact)
        return RedirectResponse(_THANKS, 303, headers=_NO_STORE)

    async def _keep(self, form: ReportForm, siret: str, message: str, contact: str) -> None:
        shard = self._databases.of(siret)
        ((waiting,),) = await shard.run(OPEN_REPORTS, (siret,))
        if waiting >= _MOST_OPEN:
            raise Problem(
                429,
                detail="Des demandes sur cet établissement attendent déjà une réponse.",
                headers={"Retry-After": "86400"},
            )
        await shard.run(ADD_REPORT, (siret, form.kind, message, contact or None))

    def _shown(
        self, request: Request, form: ReportForm, siret: str, filled: Filled = _BLANK
    ) -> Response:
        content = self._documents.render(
            "report",
            **form._asdict(),
            action=request.url.path,
            spaced=spaced_siret(siret),
            **filled._asdict(),
            kept_days=KEPT_DAYS,
        )
        status = 400 if filled.fault else 200
        return Response(content, status, media_type=HTML, headers=_NO_STORE)


def _fault(message: str, contact: str) -> str:
    if not message:
        return "Le message est vide."
    if len(message) > MOST_MESSAGE:
        return f"Le message a plus de {MOST_MESSAGE} signes."
    if len(contact) > MOST_CONTACT or (contact and "@" not in contact):
        return "L’adresse électronique ne se lit pas."
    return ""
