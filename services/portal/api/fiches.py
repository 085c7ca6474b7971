"""One establishment, one unit with its establishments, one page with its texts."""

import re

from starlette.requests import Request
from starlette.responses import Response

from services.portal.api import parameters as parameter
from services.portal.api.answers import SOURCE, Stamp, kept
from services.portal.api.cursors import opened, seal
from services.portal.api.models import EtablissementReponse, PageReponse, Texte, UniteReponse
from services.portal.api.problems import problem
from services.portal.api.statements import (
    ETABLISSEMENTS_OF_UNITE,
    SUBJECT_OF_SIRET,
    SUBJECT_OF_SLUG,
    TEXTS_OF_SIRET,
    UNITE,
)
from services.portal.api.subjects import fiche_of, lien_of, unite_of
from services.portal.web.connections import PortalDatabases
from services.portal.web.problems import Problem
from shared.sirene.identifiers import has_valid_check_digit, is_siren, is_siret

MOST_ETABLISSEMENTS = 100
UNITES_PARAMETERS = (
    parameter.whole("par_page", "Le nombre d'établissements.", 1, MOST_ETABLISSEMENTS, default=25),
    parameter.cursor(),
)
_SIRET_AT_END = re.compile(r"(?:^|-)([0-9]{14})$")
_MOST_SLUG_CHARACTERS = 300


class Fiches:
    """Answers by number or slug, whatever the number's diffusion: masked where it must be."""

    def __init__(self, databases: PortalDatabases, stamp: Stamp) -> None:
        self._databases = databases
        self._stamp = stamp

    async def etablissement(self, request: Request) -> Response:
        parameter.read((), request.query_params.multi_items())
        siret = request.path_params["siret"]
        if not is_siret(siret):
            raise problem("numero-invalide", "un SIRET a 14 chiffres")
        rows = await self._databases.of(siret).run(SUBJECT_OF_SIRET, (siret,))
        if not rows:
            raise _unknown(siret)
        answer = EtablissementReponse(
            etablissement=fiche_of(rows[0]), source=SOURCE, a_jour_au=await self._stamp.day()
        )
        return kept(request, answer)

    async def unite(self, request: Request) -> Response:
        values = parameter.read(UNITES_PARAMETERS, request.query_params.multi_items())
        siren = request.path_params["siren"]
        if not is_siren(siren):
            raise problem("numero-invalide", "un SIREN a 9 chiffres")
        asked = {"siren": siren}
        after = opened(values["curseur"], asked, str)[0] if values["curseur"] else ""
        shard = self._databases.of(siren)
        unites = await shard.run(UNITE, (siren,))
        if not unites:
            raise _unknown(siren)
        most = values["par_page"]
        rows = await shard.run(ETABLISSEMENTS_OF_UNITE, (siren, after, most + 1))
        links = [lien_of(row) for row in rows[:most]]
        answer = UniteReponse(
            unite=unite_of(unites[0]),
            etablissements=links,
            curseur=seal([links[-1].siret], asked) if len(rows) > most else None,
            source=SOURCE,
            a_jour_au=await self._stamp.day(),
        )
        return kept(request, answer)

    async def page(self, request: Request) -> Response:
        parameter.read((), request.query_params.multi_items())
        slug = request.path_params["slug"]
        found = _SIRET_AT_END.search(slug)
        if found is None or len(slug) > _MOST_SLUG_CHARACTERS or not slug.isprintable():
            raise problem("introuvable", "aucune page n'a cette adresse")
        shard = self._databases.of(found[1])
        rows = await shard.run(SUBJECT_OF_SLUG, (slug,))
        if not rows:
            return await self._elsewhere(found[1])
        fiche = fiche_of(rows[0])
        if fiche.page is None:
            raise _closed(fiche.siret)
        texts = await shard.run(TEXTS_OF_SIRET, (fiche.siret,)) if fiche.diffusible else []
        by_kind = {
            kind: Texte(texte=text, mention=label, provenance=json_ld, accepte_le=accepted_at)
            for kind, text, label, json_ld, accepted_at in texts
        }
        answer = PageReponse(
            adresse=f"/pages/{slug}",
            etablissement=fiche,
            notice=by_kind.get("notice"),
            synthese=by_kind.get("synthese"),
            source=SOURCE,
            a_jour_au=await self._stamp.day(),
        )
        return kept(request, answer)

    async def _elsewhere(self, siret: str) -> Response:
        """Lead to the page of a siret; of one without a name the address may hold what it was."""
        rows = await self._databases.of(siret).run(SUBJECT_OF_SIRET, (siret,))
        if not rows:
            raise problem("introuvable", "aucune page n'a cette adresse")
        fiche = fiche_of(rows[0])
        if fiche.page is None or fiche.nom is None:
            raise _closed(siret)
        headers = {"Location": f"/api/v1{fiche.page}", "Cache-Control": "no-cache"}
        return Response(status_code=301, headers=headers)


def _closed(siret: str) -> Problem:
    return problem("retiree", f"/api/v1/etablissements/{siret} dit ce qui est publié")


def _unknown(number: str) -> Problem:
    """Return the problem of a number that is not stored.

    A wrong check digit is told apart only here: INSEE has given out a few such numbers.
    """
    if not has_valid_check_digit(number):
        return problem("numero-invalide", "la clé de contrôle du numéro est fausse")
    return problem("introuvable", "ce numéro n'est pas dans le répertoire")
