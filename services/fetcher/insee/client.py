"""The client of INSEE's API. Each call is one GET; `answers` reads its answer."""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

from services.fetcher.insee import answers
from services.fetcher.insee.answers import Informations, NoGoodAnswer, OneAnswer, PageAnswer
from shared.http.client import Bounds, HttpAnswer, HttpClient, with_query
from shared.http.egress import Egress
from shared.http.errors import HttpError, TooLong
from shared.sirene.identifiers import is_siret

KEY_HEADER = "X-INSEE-Api-Key-Integration"
# A record has some 4 kB; no page's records have sixteen times that on average.
_BYTES_PER_RECORD = 64 * 1024
_OTHER_BYTES = 1024 * 1024


class InseeClient:
    """One session, which neither follows a redirect nor retries: each would cost a slot unseen.

    All calls raise InseeError.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout_seconds: float,
        pool_size: int,
        egress: Egress | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._http = HttpClient(
            self._bounds(0),
            pool_size=pool_size,
            egress=egress,
            headers={"Accept": "application/json"},
            secret_headers={KEY_HEADER: key},
        )

    def search_siret(
        self, query: str, *, nombre: int, curseur: str | None = None, champs: str | None = None
    ) -> PageAnswer:
        """Search establishments; `nombre=0` without a cursor only counts; by default all fields."""
        wanted = {"q": query, "nombre": str(nombre), "curseur": curseur, "champs": champs}
        return self._search("/siret", "etablissements", wanted, most=nombre)

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
        return self._search("/siret/liensSuccession", "liensSuccession", wanted, most=nombre)

    def _search(
        self, path: str, name: str, wanted: Mapping[str, str | None], *, most: int
    ) -> PageAnswer:
        answer = self._get(with_query(path, wanted), records=most)
        rate = answers.rate_headers(answer.headers)
        if answer.status == HTTPStatus.OK:
            return answers.page_answer(answer.body, rate, name, most=most)
        if answer.status == HTTPStatus.NOT_FOUND and answers.message_of(answer.body) is not None:
            return PageAnswer(answer.status, total=0, next_cursor=None, records=[], rate=rate)
        raise self._refusal(answer)

    def one(self, number: str) -> OneAnswer:
        """Ask for one siren or siret; the answer to a duplicate names the number it moved to."""
        kind = "siret" if is_siret(number) else "siren"
        answer = self._get(f"/{kind}/{number}")
        status, rate = answer.status, answers.rate_headers(answer.headers)
        if status == HTTPStatus.MOVED_PERMANENTLY:
            return OneAnswer(status, answers.target_of(answer.headers), rate)
        has_answer = status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
        if status == HTTPStatus.OK or (has_answer and answers.message_of(answer.body) is not None):
            return OneAnswer(status, None, rate)
        raise self._refusal(answer)

    def informations(self) -> Informations:
        """Ask for the date of the last treatment of each collection."""
        answer = self._get("/informations")
        if answer.status != HTTPStatus.OK:
            raise self._refusal(answer)
        rate = answers.rate_headers(answer.headers)
        return Informations(answer.status, answers.freshness_of(answer.body), rate)

    def _get(self, path: str, *, records: int = 0) -> HttpAnswer:
        try:
            return self._http.ask("GET", self._base_url + path, bounds=self._bounds(records))
        except HttpError as error:
            outcome = "malformed" if isinstance(error, TooLong) else "no_answer"
            raise NoGoodAnswer(outcome, f"no answer: {error}") from None

    def _bounds(self, records: int) -> Bounds:
        return Bounds(self._timeout_seconds, _OTHER_BYTES + records * _BYTES_PER_RECORD)

    def _refusal(self, answer: HttpAnswer) -> answers.InseeError:
        """Return the error; where INSEE's message repeats the key, its text does not."""
        redacted = self._http.redacted
        return answers.refusal(answer.status, answer.headers, answer.body, redacted)
