"""The client of INSEE's API. Each call is one GET; `answers` reads its answer."""

import time
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

import requests
import urllib3.exceptions

from services.fetcher.insee import answers
from services.fetcher.insee.answers import Informations, NoGoodAnswer, OneAnswer, PageAnswer
from shared.http import make_session
from shared.sirene.identifiers import is_siret

KEY_HEADER = "X-INSEE-Api-Key-Integration"
# A page of 1000 records is about 4 MB; a body of ten times that is not a page.
MAX_BODY_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_CONNECT_TIMEOUT_SECONDS = 5


class InseeClient:
    """One session, which neither follows a redirect nor retries: each would cost a slot unseen.

    All calls raise InseeError.
    """

    def __init__(self, base_url: str, key: str, *, timeout_seconds: float, pool_size: int) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._session = make_session(pool_size=pool_size)
        self._session.headers.update({KEY_HEADER: key, "Accept": "application/json"})

    def search_siret(
        self, query: str, *, nombre: int, curseur: str | None = None, champs: str | None = None
    ) -> PageAnswer:
        """Search establishments; `nombre=0` without a cursor only counts; by default all fields."""
        wanted = {"q": query, "nombre": str(nombre), "curseur": curseur, "champs": champs}
        return self._search("/siret", "etablissements", wanted)

    def list_sirets(self, query: str, *, nombre: int, curseur: str) -> PageAnswer:
        """Search establishments, in INSEE's order; the records are their sirets."""
        answer = self.list_records(query, nombre=nombre, curseur=curseur, champs="siret")
        return replace(answer, records=[record["siret"] for record in answer.records])

    def list_records(
        self, query: str, *, nombre: int, curseur: str, champs: str | None = None
    ) -> PageAnswer:
        """Search establishments, in INSEE's order; each record is an object with its siret."""
        answer = self.search_siret(query, nombre=nombre, curseur=curseur, champs=champs)
        records = (each if isinstance(each, dict) else {} for each in answer.records)
        sirets = [record.get("siret") for record in records]
        if not all(isinstance(siret, str) and is_siret(siret) for siret in sirets):
            message = "a record of the page has no siret"
            raise NoGoodAnswer("malformed", message, status=answer.status)
        return answer

    def search_successions(self, query: str, *, nombre: int, curseur: str) -> PageAnswer:
        """Search links from establishments to their successors."""
        wanted = {"q": query, "nombre": str(nombre), "curseur": curseur}
        return self._search("/siret/liensSuccession", "liensSuccession", wanted)

    def _search(self, path: str, name: str, wanted: Mapping[str, str | None]) -> PageAnswer:
        status, headers, body = self._get(path, wanted)
        rate = answers.rate_headers(headers)
        if status == HTTPStatus.OK:
            return answers.page_answer(body, rate, name)
        if status == HTTPStatus.NOT_FOUND and answers.message_of(body) is not None:
            return PageAnswer(status, total=0, next_cursor=None, records=[], rate=rate)
        raise answers.refusal(status, headers, body)

    def one(self, number: str) -> OneAnswer:
        """Ask for one siren or siret; the answer to a duplicate names the number it moved to."""
        kind = "siret" if is_siret(number) else "siren"
        status, headers, body = self._get(f"/{kind}/{number}")
        rate = answers.rate_headers(headers)
        if status == HTTPStatus.MOVED_PERMANENTLY:
            return OneAnswer(status, answers.target_of(headers), rate)
        has_answer = status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
        if status == HTTPStatus.OK or (has_answer and answers.message_of(body) is not None):
            return OneAnswer(status, None, rate)
        raise answers.refusal(status, headers, body)

    def informations(self) -> Informations:
        """Ask for the date of the last treatment of each collection."""
        status, headers, body = self._get("/informations")
        if status != HTTPStatus.OK:
            raise answers.refusal(status, headers, body)
        return Informations(status, answers.freshness_of(body), answers.rate_headers(headers))

    def _get(
        self, path: str, parameters: Mapping[str, str | None] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        deadline_seconds = time.monotonic() + self._timeout_seconds
        try:
            with self._session.get(
                f"{self._base_url}{path}",
                params=parameters,
                timeout=(_CONNECT_TIMEOUT_SECONDS, self._timeout_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, response.headers, _read(response, deadline_seconds)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # The text of the error holds the URL; its class says what matters.
            raise NoGoodAnswer("no_answer", f"no answer: {type(error).__name__}") from None


def _read(response: requests.Response, deadline_seconds: float) -> bytes:
    chunks = []
    size_bytes = 0
    # read1 returns what one read of the socket brings. iter_content would wait for a whole chunk,
    # each byte of which may take the timeout, and would outlive the lease of the page.
    while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        size_bytes += len(chunk)
        if size_bytes > MAX_BODY_BYTES:
            raise NoGoodAnswer("malformed", f"the body exceeds {MAX_BODY_BYTES} bytes")
        if time.monotonic() > deadline_seconds:
            raise NoGoodAnswer("no_answer", "the body took too long")
        chunks.append(chunk)
    return b"".join(chunks)
