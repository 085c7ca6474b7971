"""The kinds of problems (RFC 9457) that the API answers with, for its answers and its OpenAPI."""

from collections.abc import Mapping
from math import ceil
from typing import NamedTuple

from services.portal.web.problems import Problem


class ProblemKind(NamedTuple):
    """One kind: its status, its title and what it means."""

    status: int
    title: str
    meaning: str


KINDS: Mapping[str, ProblemKind] = {
    "parametre-inconnu": ProblemKind(
        400, "Paramètre inconnu", "Le nom d'un paramètre n'existe pas ; le plus proche est nommé."
    ),
    "parametre-invalide": ProblemKind(
        400, "Paramètre invalide", "Une valeur n'est pas ce que son paramètre attend."
    ),
    "parametre-manquant": ProblemKind(
        400, "Paramètre manquant", "Un paramètre nécessaire n'est pas donné."
    ),
    "curseur-invalide": ProblemKind(
        400, "Curseur invalide", "Le curseur n'est pas celui d'une réponse à la même requête."
    ),
    "numero-invalide": ProblemKind(
        400,
        "Numéro invalide",
        "Un autre nombre de chiffres, ou une clé de contrôle fausse.",
    ),
    "cle-inconnue": ProblemKind(401, "Clé requise", "La clé manque, n'existe pas ou ne vaut plus."),
    "introuvable": ProblemKind(404, "Introuvable", "Rien n'est publié sous ce numéro ou ce nom."),
    "retiree": ProblemKind(
        410, "Retiré", "La page n'existe plus : l'établissement est fermé, ou son nom est effacé."
    ),
    "curseur-perdu": ProblemKind(
        410, "Curseur perdu", "Ce qui a suivi le curseur n'est plus gardé : tout est à relire."
    ),
    "trop-de-requetes": ProblemKind(
        429, "Trop de requêtes", "La limite est atteinte ; Retry-After dit quand réessayer."
    ),
    "indisponible": ProblemKind(
        503, "Service momentanément indisponible", "Retry-After dit quand réessayer."
    ),
}


def problem(
    kind: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> Problem:
    """Make a problem of one of the kinds."""
    status, title, _ = KINDS[kind]
    return Problem(status, kind, title, detail, headers or {}, more or {})


def invalid_parameters(faults: Mapping[str, str]) -> Problem:
    """Make a problem with a fault for each parameter."""
    detail = " ; ".join(f"{name} : {fault}" for name, fault in faults.items())
    listed = [{"parametre": name, "detail": fault} for name, fault in faults.items()]
    return problem("parametre-invalide", detail, more={"erreurs": listed})


def invalid_cursor() -> Problem:
    return problem(
        "curseur-invalide", "curseur : il n'est pas celui d'une réponse à la même requête"
    )


def key_needed(detail: str) -> Problem:
    return problem("cle-inconnue", detail, headers={"WWW-Authenticate": 'Bearer realm="sirenade"'})


def too_many_requests(wait_seconds: float) -> Problem:
    seconds = max(1, ceil(wait_seconds))
    return problem(
        "trop-de-requetes",
        f"réessayez dans {seconds} s",
        headers={"Retry-After": str(seconds)},
    )
