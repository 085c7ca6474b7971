"""The endpoints of the API: address, parameters, answer and problems of each."""

import functools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.portal.api import models
from services.portal.api.access.admission import Admission
from services.portal.api.changes import atom
from services.portal.api.changes.feed import CHANGEMENTS_PARAMETERS, Changements
from services.portal.api.exports import columnar, spreadsheets
from services.portal.api.exports.files import EXPORT_PARAMETERS, Exports
from services.portal.api.fiches import UNITES_PARAMETERS, Fiches
from services.portal.api.parameters import Parameter
from services.portal.api.recherche import (
    LISTES_PARAMETERS,
    RECHERCHE_PARAMETERS,
    SUGGESTIONS_PARAMETERS,
    Recherche,
)

ROOT = "/api/v1"
Handler = Callable[[Request], Awaitable[Response]]
_EXPORT_COST = 20
_QUERY = ("parametre-inconnu", "parametre-invalide")
_ALWAYS = ("cle-inconnue", "trop-de-requetes", "indisponible")


@dataclass(frozen=True, slots=True, kw_only=True)
class InPath:
    """The part of an address that names what is asked for."""

    name: str
    description: str
    pattern: str
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address. `answer` is a model of JSON, or the media type of anything else.

    `cost` is what a request takes of a limit; `is_validated` answers have an ETag.
    """

    path: str
    handler: Handler
    summary: str
    answer: type[BaseModel] | str
    parameters: Sequence[Parameter] = ()
    in_path: InPath | None = None
    kinds: Sequence[str] = ()
    is_validated: bool = False
    redirects: bool = False
    key_only: bool = False
    cost: int = 1

    @property
    def name(self) -> str:
        return self.path.removeprefix(f"{ROOT}/").partition("/")[0].replace(".", "_")

    @property
    def problems(self) -> list[str]:
        return [*_QUERY, *self.kinds, *_ALWAYS]


def route_of(endpoint: Endpoint, admission: Admission) -> BaseRoute:
    handler = endpoint.handler

    @functools.wraps(handler)
    async def admitted(request: Request) -> Response:
        await admission.admit(request, key_only=endpoint.key_only, cost=endpoint.cost)
        return await handler(request)

    return Route(endpoint.path, admitted, methods=["GET"])


def endpoints(
    recherche: Recherche, fiches: Fiches, changements: Changements, exports: Exports
) -> list[Endpoint]:
    """Return all endpoints, as the OpenAPI lists them."""
    return [
        *_of_searches(recherche),
        *_of_numbers(fiches),
        *_of_changes(changements),
        *_of_exports(exports),
    ]


def _of_searches(recherche: Recherche) -> list[Endpoint]:
    return [
        Endpoint(
            path=f"{ROOT}/recherche",
            handler=recherche.recherche,
            summary="Chercher des établissements par nom, lieu, critères ou distance",
            answer=models.RechercheReponse,
            parameters=RECHERCHE_PARAMETERS,
            kinds=("curseur-invalide",),
        ),
        Endpoint(
            path=f"{ROOT}/suggestions",
            handler=recherche.suggestions,
            summary="Compléter le début d'un nom",
            answer=models.SuggestionsReponse,
            parameters=SUGGESTIONS_PARAMETERS,
            kinds=("parametre-manquant",),
        ),
        Endpoint(
            path=f"{ROOT}/listes",
            handler=recherche.listes,
            summary="Lister les établissements ouverts d'une commune, par activité",
            answer=models.ListeReponse,
            parameters=LISTES_PARAMETERS,
            kinds=("parametre-manquant", "curseur-invalide"),
            is_validated=True,
        ),
    ]


def _of_numbers(fiches: Fiches) -> list[Endpoint]:
    siret = InPath(
        name="siret", description="14 chiffres", pattern="^[0-9]{14}$", example="55200155800016"
    )
    siren = InPath(
        name="siren", description="9 chiffres", pattern="^[0-9]{9}$", example="552001558"
    )
    slug = InPath(
        name="slug",
        description="La fin de l'adresse d'une page",
        pattern="^.{1,300}$",
        example="boulangerie-dupont-bordeaux-55200155800016",
    )
    return [
        Endpoint(
            path=f"{ROOT}/etablissements/{{siret}}",
            handler=fiches.etablissement,
            summary="Lire un établissement, masqué s'il n'est pas diffusible",
            answer=models.EtablissementReponse,
            in_path=siret,
            kinds=("numero-invalide", "introuvable"),
            is_validated=True,
        ),
        Endpoint(
            path=f"{ROOT}/unites/{{siren}}",
            handler=fiches.unite,
            summary="Lire une unité légale et ses établissements diffusibles",
            answer=models.UniteReponse,
            parameters=UNITES_PARAMETERS,
            in_path=siren,
            kinds=("numero-invalide", "curseur-invalide", "introuvable"),
            is_validated=True,
        ),
        Endpoint(
            path=f"{ROOT}/pages/{{slug}}",
            handler=fiches.page,
            summary="Lire une page et ses textes",
            answer=models.PageReponse,
            in_path=slug,
            kinds=("introuvable", "retiree"),
            redirects=True,
            is_validated=True,
        ),
    ]


def _of_changes(changements: Changements) -> list[Endpoint]:
    return [
        Endpoint(
            path=f"{ROOT}/changements",
            handler=changements.changements,
            summary="Suivre ce qui change, effacements compris",
            answer=models.ChangementsReponse,
            parameters=CHANGEMENTS_PARAMETERS,
            kinds=("curseur-perdu",),
        ),
        Endpoint(
            path=f"{ROOT}/changements.atom",
            handler=changements.changements_atom,
            summary="Suivre ce qui change, en Atom",
            answer=atom.MEDIA_TYPE,
            parameters=CHANGEMENTS_PARAMETERS,
            kinds=("curseur-perdu",),
        ),
    ]


def _of_exports(exports: Exports) -> list[Endpoint]:
    return [
        Endpoint(
            path=f"{ROOT}/export.csv",
            handler=exports.export_csv,
            summary="Exporter en CSV ce que des critères trouvent",
            answer=spreadsheets.MEDIA_TYPE,
            parameters=EXPORT_PARAMETERS,
            kinds=("curseur-invalide",),
            key_only=True,
            cost=_EXPORT_COST,
        ),
        Endpoint(
            path=f"{ROOT}/export.parquet",
            handler=exports.export_parquet,
            summary="Exporter en Parquet ce que des critères trouvent",
            answer=columnar.MEDIA_TYPE,
            parameters=EXPORT_PARAMETERS,
            kinds=("curseur-invalide",),
            key_only=True,
            cost=_EXPORT_COST,
        ),
    ]
