"""The table of the portal's endpoints: what is asked of each, and whether it tells a name."""

from typing import Any, NamedTuple

from services.portal.pages.sitemaps import IDS_PER_FILE
from tests.readers import shown_text, told_of

NAME = "ZORGLUBERIE QUINQUET"
SIREN = "000000018"
SIRET = f"{SIREN}00001"
SLUG = f"zorgluberie-quinquet-bordeaux-{SIRET}"
# A search repeats its own words: it asks by the other word of the name.
MARKS = frozenset({"ZORGLUBERIE"})
_API = "/api/v1"


class Asked(NamedTuple):
    """A request; `tells` says that its answer has the name while the name may be shown."""

    route: str
    path: str
    tells: bool = True


def table(page_id: int) -> list[Asked]:
    """Return requests of each route: those of people, those of programs, those of watchers."""
    return [*_of_people(page_id), *_of_programs(), *_of_nobody()]


def _of_people(page_id: int) -> list[Asked]:
    number = page_id // IDS_PER_FILE
    return [
        *(Asked("/pages/{slug}", f"/pages/{slug}") for slug in (SLUG, SIRET, f"x-{SIRET}")),
        Asked("/recherche", "/recherche?q=quinquet"),
        Asked("/recherche", "/recherche?q=quinquat+bordeaux"),
        Asked("/recherche", f"/recherche?q={SIRET}", tells=False),
        Asked("/communes/{code}", "/communes/33063"),
        Asked("/communes/{code}/{activite}", "/communes/33063/10.71C"),
        Asked("/sitemaps/{number:int}.xml.gz", f"/sitemaps/{number}.xml.gz"),
        Asked("/signaler/{siret}", f"/signaler/{SIRET}", tells=False),
        Asked("/opposition/{siret}", f"/opposition/{SIRET}", tells=False),
    ]


def _of_programs() -> list[Asked]:
    near = "lat=44.8&long=-0.58&radius=50"
    return [
        Asked(f"{_API}/recherche", f"{_API}/recherche?q=quinquet&facettes=etat"),
        Asked(f"{_API}/recherche", f"{_API}/recherche?q=quinquat"),
        Asked(f"{_API}/recherche", f"{_API}/recherche?departement=33"),
        Asked(f"{_API}/suggestions", f"{_API}/suggestions?q=quin"),
        Asked(f"{_API}/listes", f"{_API}/listes?code_commune=33063"),
        Asked(f"{_API}/etablissements/{{siret}}", f"{_API}/etablissements/{SIRET}"),
        Asked(f"{_API}/unites/{{siren}}", f"{_API}/unites/{SIREN}"),
        *(Asked(f"{_API}/pages/{{slug}}", f"{_API}/pages/{slug}") for slug in (SLUG, f"x-{SIRET}")),
        Asked(f"{_API}/changements", f"{_API}/changements"),
        Asked(f"{_API}/changements.atom", f"{_API}/changements.atom"),
        Asked(f"{_API}/export.csv", f"{_API}/export.csv"),
        Asked(f"{_API}/export.csv", f"{_API}/export.csv?departement=33"),
        Asked(f"{_API}/export.parquet", f"{_API}/export.parquet"),
        Asked("/compat/search", "/compat/search?q=quinquet"),
        Asked("/compat/near_point", f"/compat/near_point?{near}"),
    ]


def _of_nobody() -> list[Asked]:
    paths = (
        *("/", "/robots.txt", "/merci", "/sitemap.xml", "/openapi.json", "/docs"),
        *("/healthz", "/readyz", "/status"),
    )
    return [Asked(path, path, tells=False) for path in paths]


def tells(answer: Any) -> bool:
    """Return whether an answer of `requests` has the name, in its body or where it leads."""
    return bool(told_of(MARKS, shown_text(answer)))
