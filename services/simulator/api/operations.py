"""The API's operations on a register: parameters in, answer out; no sockets, no quota."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from services.simulator.api import shapes
from services.simulator.api.answers import Answer, header_answer, json_answer
from services.simulator.api.informations import Publication
from services.simulator.api.order import facets, ordered
from services.simulator.api.search import Hits, Search
from services.simulator.api.successions import links_of_succession
from services.simulator.errors import BadParameterError, BadRequestError
from services.simulator.faults import FaultDesk
from services.simulator.generation.identifiers import (
    SIREN_LENGTH,
    SIRET_LENGTH,
    decode_cursor,
    encode_cursor,
)
from services.simulator.query.variables import Collection
from services.simulator.record import Record
from services.simulator.register.registers import Register

PREFIX = "/api-sirene/3.11"

_MOST_ROWS = 1000
_FURTHEST_START = 10_000
_DEFAULT_ROWS = 20
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_LISTS: Mapping[Collection, str] = {"siret": "etablissements", "siren": "unitesLegales"}
_ONE: Mapping[Collection, str] = {"siret": "etablissement", "siren": "uniteLegale"}
_LENGTHS: Mapping[Collection, int] = {"siret": SIRET_LENGTH, "siren": SIREN_LENGTH}

Params = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Page:
    """The part of the hits that is asked for; a cursor replaces `debut`."""

    nombre: int
    debut: int
    curseur: str | None


class Api:
    def __init__(
        self, register: Register, faults: FaultDesk, publication: Publication | None = None
    ) -> None:
        self._register = register
        self._publication = publication or Publication(register.calendar)
        self._search = Search(register)
        self._faults = faults

    def answer(self, path: str, params: Params) -> Answer:
        """`path` is what follows the prefix of the API."""
        parts = path.strip("/").split("/")
        try:
            match parts:
                case ["informations"]:
                    return json_answer(200, self._publication.informations())
                case ["siret", "liensSuccession"]:
                    return self._successions(params)
                case ["siret" | "siren" as collection]:
                    return self._find(collection, params)
                case ["siret" | "siren" as collection, identifier]:
                    return self._one(collection, identifier, params)
        except BadRequestError as error:
            return header_answer(400, str(error))
        return json_answer(
            404, {"message": "No context-path matches the request URI.", "http_status_code": 404}
        )

    def _find(self, collection: Collection, params: Params) -> Answer:
        q = params.get("q") or None
        date = _date(params)
        page = _page(params)
        hits = self._search.hits(collection, q, date)
        if not hits or (q and self._faults.hides_day(q)):
            return _nothing_for(q or "")
        positions = ordered(self._register, collection, hits.positions, params.get("tri"))
        if page.curseur is None:
            start = page.debut
            if start >= len(hits):
                return _nothing_for(q or "")
        else:
            start = _after(hits, page.curseur)
        chosen = positions[start : start + page.nombre]
        header: dict[str, object] = {
            "statut": 200,
            "message": "OK",
            "total": len(hits),
            "debut": 0 if page.curseur is not None else page.debut,
            "nombre": len(chosen),
        }
        if page.curseur is not None:
            header["curseur"] = page.curseur
            header["curseurSuivant"] = self._next_cursor(collection, page.curseur, chosen)
        content: dict[str, object] = {"header": header}
        if page.nombre:
            records = (self._register.record(collection, position) for position in chosen)
            content[_LISTS[collection]] = [self._shaped(r, params, date) for r in records]
        if params.get("facette.champ"):
            counted = params["facette.champ"].split(",")
            content["facettes"] = facets(self._register, collection, hits.positions, counted)
        answer = json_answer(200, content)
        answer.headers["X-Total-Count"] = str(len(hits))
        if chosen or page.curseur is not None:
            answer.headers["Link"] = _links(collection, params, page, header)
        return answer

    def _successions(self, params: Params) -> Answer:
        page = _page(params)
        found = links_of_succession(self._register, params.get("q") or "")
        start = page.debut
        if page.curseur not in {None, "*"}:
            start = int(page.curseur) if page.curseur.isdecimal() else len(found)
        chosen = found[start : start + page.nombre]
        if not found:
            return _nothing_for(params.get("q", ""))
        header: dict[str, object] = {"statut": 200, "message": "OK", "total": len(found)}
        if page.curseur is not None:
            following = str(start + len(chosen)) if chosen else page.curseur
            header |= {"curseur": page.curseur, "curseurSuivant": following}
        return json_answer(200, {"header": header, "liensSuccession": chosen})

    def _one(self, collection: Collection, identifier: str, params: Params) -> Answer:
        date = _date(params)
        if not re.fullmatch(rf"\d{{{_LENGTHS[collection]}}}", identifier):
            raise BadParameterError(collection, identifier)
        siren = identifier[:SIREN_LENGTH]
        target = self._register.redirection(siren)
        if target is not None:
            return self._redirected(collection, target)
        if self._register.is_secret(siren):
            subject = (
                "Établissement non diffusable"
                if collection == "siret"
                else "Unité légale non diffusable"
            )
            return header_answer(403, f"{subject} ({identifier})")
        position = self._register.position_from(collection, identifier)
        known = position < self._register.size(collection) and (
            self._register.identifier(collection, position) == identifier
        )
        if not known or (date and not self._register.row(collection, position, date).periodes()):
            return header_answer(404, f"Aucun élément trouvé pour le {collection} {identifier}")
        record = self._shaped(self._register.record(collection, position), params, date)
        message = "ok" if collection == "siret" else "OK"
        return json_answer(
            200, {"header": {"statut": 200, "message": message}, _ONE[collection]: record}
        )

    def _redirected(self, collection: Collection, siren: str) -> Answer:
        """Redirect as recorded: `/siren` says statut 0, `/siret` 301."""
        if collection == "siren":
            message = f"Unité légale doublon, redirection vers l'unité légale : {siren}"
            answer = header_answer(301, message, statut=0)
            answer.headers["Location"] = f"{PREFIX}/siren/{siren}"
            return answer
        message = (
            "Unité légale doublon, redirection vers l'établissement siège de l'unité légale : "
            f"{siren}"
        )
        answer = header_answer(301, message)
        first = self._register.position_from("siret", siren)
        answer.headers["Location"] = f"{PREFIX}/siret/{self._register.identifier('siret', first)}"
        return answer

    def _next_cursor(self, collection: Collection, curseur: str, chosen: Sequence[int]) -> str:
        """Point past the last row; without a row the cursor stays, which ends the walk."""
        if not chosen:
            return curseur
        return encode_cursor(self._register.identifier(collection, chosen[-1]))

    def _shaped(self, record: Record, params: Params, date: str | None) -> Record:
        if date is not None:
            record = shapes.at_date(record, date)
        if self._faults.knobs.new_keys:
            record = shapes.with_new_keys(record)
        if self._faults.knobs.missing_keys:
            record = shapes.without_some_keys(record)
        if params.get("champs"):
            record = shapes.with_fields(record, params["champs"].split(","))
        if params.get("masquerValeursNulles") == "true":
            record = shapes.without_nulls(record)
        return record


def _nothing_for(q: str) -> Answer:
    return header_answer(404, f"Aucun élément trouvé pour q={q}")


def _date(params: Params) -> str | None:
    date = params.get("date") or None
    if date is not None and not _DATE.fullmatch(date):
        raise BadParameterError("date", date)
    return date


def _page(params: Params) -> _Page:
    curseur = params.get("curseur") or None
    if curseur is not None and params.get("tri"):
        raise BadParameterError("tri", params["tri"])
    return _Page(
        nombre=_number(params, "nombre", _DEFAULT_ROWS, _MOST_ROWS),
        debut=_number(params, "debut", 0, _FURTHEST_START),
        curseur=curseur,
    )


def _number(params: Params, name: str, default: int, most: int) -> int:
    text = params.get(name) or str(default)
    if not text.isdecimal() or int(text) > most:
        raise BadParameterError(name, text)
    return int(text)


def _after(hits: Hits, curseur: str) -> int:
    return 0 if curseur == "*" else hits.first_after(decode_cursor(curseur))


def _links(
    collection: Collection, params: Params, page: _Page, header: Mapping[str, object]
) -> str:
    """Make the Link header as recorded: first and next of a walk; first, next and last of pages."""
    q = {"q": params["q"]} if params.get("q") else {}
    address = f"{PREFIX}/{collection}?"
    total, shown = int(str(header["total"])), int(str(header["nombre"]))
    links: dict[str, dict[str, object]] = {}
    if page.curseur is not None:
        links["first"] = {"nombre": page.nombre, "curseur": "*", **q}
        if shown:
            links["next"] = {"nombre": page.nombre, "curseur": header["curseurSuivant"], **q}
    else:
        links["first"] = {**q, "debut": 0, "nombre": shown}
        if page.debut + shown < total:
            links["next"] = {**q, "debut": page.debut + shown, "nombre": shown}
        size = max(shown, 1)
        last = (total - 1) // size * size
        links["last"] = {**q, "debut": last, "nombre": total - last}
    return ", ".join(
        f'<{address}{urlencode(values)}>; rel="{rel}"' for rel, values in links.items()
    )
