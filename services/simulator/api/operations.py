"""The API's operations on a register: parameters in, answer out; no sockets, no quota."""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from services.simulator.api import shapes
from services.simulator.api.answers import Answer, header_answer, json_answer
from services.simulator.api.informations import Publication
from services.simulator.api.order import facets, ordered
from services.simulator.api.search import RecordSearch
from services.simulator.api.successions import links_of_succession
from services.simulator.errors import BadParameterError, BadRequestError
from services.simulator.faults import FaultDesk
from services.simulator.generation.identifiers import SIREN_LENGTH, decode_cursor, encode_cursor
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
_IDENTIFIERS: Mapping[Collection, str] = {"siret": r"\d{14}", "siren": r"\d{9}"}
_SECRETS: Mapping[Collection, str] = {
    "siret": "Établissement non diffusable",
    "siren": "Unité légale non diffusable",
}

Params = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Page:
    """The part of the hits that is asked for; a cursor replaces `debut`."""

    nombre: int
    debut: int
    curseur: str | None


class Api:
    def __init__(self, register: Register, faults: FaultDesk) -> None:
        self._register = register
        self.publication = Publication(register.calendar)
        if register.night is not None:
            self.publication.play_mass_day(register.night.day)
        self._search = RecordSearch(register)
        self._faults = faults

    def answer(self, path: str, params: Params) -> Answer:
        """`path` is what follows the prefix of the API."""
        parts = path.strip("/").split("/")
        try:
            match parts:
                case ["informations"]:
                    return json_answer(200, self.publication.informations())
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
        q, date, page = params.get("q") or None, _date(params), _page(params)
        hits = self._search.hits(collection, q, date)
        if not hits or (q and self._faults.hides_day(q)):
            return _nothing_for(q or "")
        positions = ordered(self._register, collection, hits, params.get("tri"))
        start = page.debut
        if page.curseur is not None:
            start = self._first_after(collection, hits, page.curseur)
        elif start >= len(hits):
            return _nothing_for(q or "")
        chosen = positions[start : start + page.nombre]
        header: dict[str, Any] = {"statut": 200, "message": "OK", "total": len(hits)}
        header |= {"debut": 0 if page.curseur else start, "nombre": len(chosen)}
        if page.curseur is not None:
            # Without a row the cursor stays, which ends the walk.
            last = self._register.identifier(collection, chosen[-1]) if chosen else None
            following = page.curseur if last is None else encode_cursor(last)
            header |= {"curseur": page.curseur, "curseurSuivant": following}
        content: dict[str, object] = {"header": header}
        if page.nombre:
            records = (self._register.record(collection, position) for position in chosen)
            content[_LISTS[collection]] = [self._shaped(r, params, date) for r in records]
        if params.get("facette.champ"):
            counted = params["facette.champ"].split(",")
            content["facettes"] = facets(self._register, collection, hits, counted)
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
        if not re.fullmatch(_IDENTIFIERS[collection], identifier):
            raise BadParameterError(collection, identifier)
        siren = identifier[:SIREN_LENGTH]
        if target := self._register.doublons.get(siren):
            return self._redirected(collection, target)
        if siren in self._register.non_diffusibles:
            return header_answer(403, f"{_SECRETS[collection]} ({identifier})")
        position = self._register.position_of(collection, identifier)
        if position is None or (
            date and not self._register.row(collection, position, date).periodes()
        ):
            return header_answer(404, f"Aucun élément trouvé pour le {collection} {identifier}")
        record = self._shaped(self._register.record(collection, position), params, date)
        message = "ok" if collection == "siret" else "OK"
        return json_answer(
            200, {"header": {"statut": 200, "message": message}, _ONE[collection]: record}
        )

    def _redirected(self, collection: Collection, siren: str) -> Answer:
        """Redirect as recorded: `/siren` says statut 0, `/siret` 301."""
        if collection == "siren":
            subject, statut, identifier = "l'unité légale", 0, siren
        else:
            subject, statut = "l'établissement siège de l'unité légale", 301
            first = self._register.position_from("siret", siren)
            identifier = self._register.identifier("siret", first)
        message = f"Unité légale doublon, redirection vers {subject} : {siren}"
        answer = header_answer(301, message, statut)
        answer.headers["Location"] = f"{PREFIX}/{collection}/{identifier}"
        return answer

    def _first_after(self, collection: Collection, hits: Sequence[int], curseur: str) -> int:
        """Return the rank of the first hit whose identifier is above that of the cursor."""
        if curseur == "*":
            return 0
        key = partial(self._register.identifier, collection)
        return bisect_right(hits, decode_cursor(curseur), key=key)

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


def _links(collection: Collection, params: Params, page: _Page, header: Mapping[str, Any]) -> str:
    """Make the Link header as recorded: first and next of a walk; first, next and last of pages."""
    q = {"q": params["q"]} if params.get("q") else {}
    address = f"{PREFIX}/{collection}?"
    total, shown = header["total"], header["nombre"]
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
