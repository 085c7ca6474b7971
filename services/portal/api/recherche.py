"""The search, the suggestions and the lists: parameters, question to the engine, answer."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.portal.api import parameters as parameter
from services.portal.api.answers import SOURCE, Stamp, fresh, kept
from services.portal.api.cursors import opened, seal
from services.portal.api.models import (
    Compris,
    Facette,
    ListeReponse,
    RechercheReponse,
    Suggestion,
    SuggestionsReponse,
)
from services.portal.api.problems import invalid_cursor, invalid_parameters
from services.portal.api.results import Results
from services.portal.search.engine import (
    LARGEST_RADIUS_KM,
    MOST_HITS,
    MOST_SUGGESTIONS,
    Engine,
    Facet,
    Filters,
    Found,
    Near,
    Order,
    Search,
    Understood,
    UnknownPlace,
)

MOST_CHARACTERS = 200
_FACETS: Mapping[str, Facet] = {
    "activite_principale": "activite_principale",
    "departement": "departement",
    "tranche_effectif_salarie": "tranche_effectifs",
    "etat": "etat",
}
_ORDERS: Mapping[str, Order] = {
    "pertinence": "relevance",
    "distance": "distance",
    "date_creation": "creation",
}


def _activite(code: str) -> str:
    """Return the code with its dot, as INSEE writes it; some publish it without."""
    code = code.upper()
    return f"{code[:2]}.{code[2:]}" if len(code) > 2 and code[2] != "." else code  # noqa: PLR2004  the division


_CODE_COMMUNE = r"[0-9][0-9AB][0-9]{3}"
_ACTIVITE = r"[0-9]{2}(\.[0-9]{2}[A-Z])?"
FILTERS = (
    parameter.codes(
        "code_commune", "Codes de communes (Insee), entre virgules.", _CODE_COMMUNE, "33063"
    ),
    parameter.codes("code_postal", "Codes postaux, entre virgules.", "[0-9]{5}", "33000"),
    parameter.codes(
        "departement", "Départements, entre virgules.", "[0-9]{2}|2[AB]|9[78][0-9]", "33"
    ),
    parameter.codes("region", "Régions, entre virgules.", "[0-9]{2}", "75"),
    parameter.codes(
        "activite_principale",
        "Activités de l'établissement (NAF), ou leurs deux premiers chiffres, entre virgules.",
        _ACTIVITE,
        "10.71C",
        normalised=_activite,
    ),
    parameter.codes(
        "tranche_effectif_salarie",
        "Tranches d'effectif de l'établissement, entre virgules.",
        "NN|[0-9]{2}",
        "12",
    ),
    parameter.codes(
        "nature_juridique", "Catégories juridiques de l'unité, entre virgules.", "[0-9]{4}", "5499"
    ),
    parameter.chosen("etat", "A : actif, F : fermé.", "A", "F", default="A"),
    parameter.truth("siege", "true : les sièges ; false : les autres."),
)
RECHERCHE_PARAMETERS = (
    parameter.text("q", "Un nom, un lieu, ou un numéro SIREN ou SIRET.", longest=MOST_CHARACTERS),
    parameter.text("nom", "Un nom seul, sans le lieu.", longest=MOST_CHARACTERS),
    *FILTERS,
    parameter.decimal("lat", "Latitude (WGS 84), avec long.", -90, 90),
    parameter.decimal("long", "Longitude (WGS 84), avec lat.", -180, 180),
    parameter.decimal("radius", "Rayon en km ; 5 sans lui.", 0.001, LARGEST_RADIUS_KM),
    parameter.chosen("tri", "L'ordre ; distance demande lat et long.", *_ORDERS),
    parameter.whole("par_page", "Le nombre de résultats.", 1, MOST_HITS, default=10),
    parameter.cursor(),
    parameter.subset("facettes", "Ce qui est compté, entre virgules.", *_FACETS),
)
SUGGESTIONS_PARAMETERS = (
    parameter.text("q", "Le début d'un nom.", longest=MOST_CHARACTERS, shortest=2, required=True),
    parameter.codes("code_commune", "Le code d'une commune.", _CODE_COMMUNE, "33063", most=1),
    parameter.whole("limite", "Le nombre de suggestions.", 1, MOST_SUGGESTIONS, default=10),
)
LISTES_PARAMETERS = (
    parameter.codes(
        "code_commune", "Le code d'une commune.", _CODE_COMMUNE, "33063", most=1, required=True
    ),
    parameter.codes(
        "activite_principale",
        "Une activité (NAF), ou ses deux premiers chiffres.",
        _ACTIVITE,
        "10.71C",
        normalised=_activite,
        most=1,
    ),
    parameter.whole("par_page", "Le nombre de résultats.", 1, MOST_HITS, default=MOST_HITS),
    parameter.cursor(),
)


class Recherche:
    """Answers searches by an engine and the register's rows."""

    def __init__(self, engine: Engine, results: Results, stamp: Stamp) -> None:
        self._engine = engine
        self._results = results
        self._stamp = stamp

    async def recherche(self, request: Request) -> Response:
        values = parameter.read(RECHERCHE_PARAMETERS, request.query_params.multi_items())
        found, following = await self.found(values)
        answer = RechercheReponse(
            resultats=await self._results.of(found.hits),
            total=found.total,
            total_exact=found.total_exact,
            compris=_understood(found.understood) if values["q"] or values["nom"] else None,
            facettes={
                name: [Facette(valeur=value, nombre=n) for value, n in found.facets[facet]]
                for name, facet in _FACETS.items()
                if facet in found.facets
            },
            curseur=following,
            source=SOURCE,
            a_jour_au=await self._stamp.day(),
        )
        return fresh(answer)

    async def suggestions(self, request: Request) -> Response:
        values = parameter.read(SUGGESTIONS_PARAMETERS, request.query_params.multi_items())
        commune = next(iter(values["code_commune"]), None)
        hits = await self._engine.suggest(values["q"], code_commune=commune, limit=values["limite"])
        answer = SuggestionsReponse(
            suggestions=[
                Suggestion(
                    texte=each.nom,
                    siret=each.siret,
                    libelle_commune=each.libelle_commune,
                    page=each.page,
                )
                for each in await self._results.of(hits)
            ],
            source=SOURCE,
            a_jour_au=await self._stamp.day(),
        )
        return fresh(answer)

    async def listes(self, request: Request) -> Response:
        values = parameter.read(LISTES_PARAMETERS, request.query_params.multi_items())
        found, following = await self.found({**_NOTHING, **values})
        answer = ListeReponse(
            resultats=await self._results.of(found.hits),
            total=found.total,
            total_exact=found.total_exact,
            curseur=following,
            source=SOURCE,
            a_jour_au=await self._stamp.day(),
        )
        return kept(request, answer)

    async def found(self, values: Mapping[str, Any]) -> tuple[Found, str | None]:
        """Return what a search finds, and the cursor of the rest. Raises Problem."""
        asked = {name: value for name, value in values.items() if name != "curseur"}
        after = opened(values["curseur"], asked, str)[0] if values["curseur"] else None
        try:
            found = await self._engine.find(search_of(values, after))
        except UnknownPlace:
            raise invalid_cursor() from None
        return found, None if found.next is None else seal([found.next], asked)


_NOTHING = {each.name: each.default for each in RECHERCHE_PARAMETERS}


def search_of(values: Mapping[str, Any], after: str | None) -> Search:
    """Return the search of these values. Raises Problem where they do not go together."""
    order = _ORDERS[values["tri"]] if values["tri"] else None
    near = _near(values)
    if order == "distance" and near is None:
        raise invalid_parameters({"tri": "distance demande lat et long"})
    return Search(
        q=values["q"] or "",
        nom=values["nom"] or "",
        filters=filters_of(values),
        near=near,
        order=order or "relevance",
        limit=values["par_page"],
        after=after,
        facets=[_FACETS[name] for name in values["facettes"]],
    )


def filters_of(values: Mapping[str, Any]) -> Filters:
    return Filters(
        code_commune=values["code_commune"],
        code_postal=values["code_postal"],
        departement=values["departement"],
        region=values["region"],
        activite_principale=values["activite_principale"],
        tranche_effectifs=values["tranche_effectif_salarie"],
        categorie_juridique=values["nature_juridique"],
        etat=values["etat"],
        siege=values["siege"],
    )


def _near(values: Mapping[str, Any]) -> Near | None:
    latitude, longitude, radius = (values[name] for name in ("lat", "long", "radius"))
    if latitude is None and longitude is None and radius is None:
        return None
    missing = [name for name in ("lat", "long") if values[name] is None]
    if missing:
        raise invalid_parameters(dict.fromkeys(missing, "lat et long vont ensemble"))
    return Near(latitude, longitude, *([] if radius is None else [radius]))


def _understood(understood: Understood) -> Compris:
    return Compris(
        corrections=dict(understood.corrected),
        ignores=[*understood.ignored, *understood.left_out],
        communes=list(understood.communes),
        activites=sorted({code for codes in understood.activites.values() for code in codes}),
    )
