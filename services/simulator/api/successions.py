"""The links from an establishment to its successor, a collection of its own at INSEE."""

import re

from services.simulator.errors import QuerySyntaxError
from services.simulator.register.registers import Register

_ONE_IN = 50
_QUERY = re.compile(
    r"(?:dateDernierTraitementLienSuccession:\[(?P<since>\S+) TO (?P<until>\S+)\]"
    r"|(?P<side>siretEtablissementPredecesseur|siretEtablissementSuccesseur):(?P<siret>\d{14}))?"
)


def links_of_succession(register: Register, query: str) -> list[dict[str, object]]:
    """List the links by predecessor: the next establishment succeeds every fiftieth."""
    asked = _QUERY.fullmatch(query)
    if asked is None:
        raise QuerySyntaxError(query)
    links = []
    for position in range(0, register.size("siret") - 1, _ONE_IN):
        treated = str(
            register.record("siret", position)["dateDernierTraitementEtablissement"] or "2020-01-01"
        )
        link: dict[str, object] = {
            "siretEtablissementPredecesseur": register.identifier("siret", position),
            "siretEtablissementSuccesseur": register.identifier("siret", position + 1),
            "dateLienSuccession": treated[:10],
            "transfertSiege": position % (2 * _ONE_IN) == 0,
            "continuiteEconomique": True,
            "dateDernierTraitementLienSuccession": treated,
        }
        if _matches(link, asked):
            links.append(link)
    return links


def _matches(link: dict[str, object], asked: re.Match[str]) -> bool:
    if asked["siret"]:
        return link[asked["side"]] == asked["siret"]
    treated = str(link["dateDernierTraitementLienSuccession"])
    return not asked["since"] or (
        asked["since"] <= treated and (asked["until"] == "*" or treated <= asked["until"])
    )
