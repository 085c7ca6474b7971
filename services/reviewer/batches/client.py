"""A client for batches at a server, with OpenAI's addresses or Mistral's.

It raises the errors of a call (`providers.chat`), and tries nothing twice.
"""

import re
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, Any, Literal

import orjson

from services.reviewer.providers.chat import (
    BadRequest,
    ChatRefused,
    Transient,
    error_of,
    open_client,
    translated,
)
from services.reviewer.providers.settings import Batch, Provider
from shared.errors import SirenadeError
from shared.http.client import Bounds, HttpAnswer, Stream, with_query
from shared.http.egress import Egress

ENDPOINT = "/v1/chat/completions"
KEY = "sirenade_batch"
"""Name of the metadata by which a batch is found again."""

# A page of 100 batches has some 200 kB.
_MOST_BYTES = 1 << 21
# A line beside its text, and a token of the text: some four bytes, escaped at worst.
_LINE_BYTES = 8 << 10
_BYTES_PER_TOKEN = 8
_MOST_LINE_BYTES = 1 << 18
# A file goes up or down within the lease of its batch, which has four timeouts.
_TIMEOUTS_PER_FILE = 3
# Some servers write a line twice, or add lines of others.
_LINES_PER_TEXT = 10
# The newest batches come first. A batch is looked for soon: it is on these pages.
_PAGES = 20
_PAGE = 100
_UNKNOWN = frozenset({404, 405, 501})
_COPY_BYTES = 1 << 20
_CODE = re.compile(r"[a-z0-9_]{1,60}")

COMPLETED = "completed"
# A server's words for the end of a batch, and those of our table.
_ENDS = {
    "completed": COMPLETED,
    "success": COMPLETED,
    "expired": "expired",
    "timeout_exceeded": "expired",
    "cancelled": "cancelled",
    "failed": "failed",
}


@dataclass(frozen=True, slots=True)
class RemoteBatch:
    """A batch as the server shows it; `files` hold answers, files of errors come last.

    `end` is the state in which it has ended, None while it is under way; `because` is the server's
    code for what failed.
    """

    id: str
    end: str | None
    files: tuple[str, ...]
    key: str | None
    because: str | None = None


class NotListed(SirenadeError):
    """Raised when the server cannot list its batches."""


class Gone(ChatRefused):
    """Raised when the server does not know a batch or a file; `what` tells which."""

    what = "batch_gone"


class BatchClient:
    """A client for one thread at a time."""

    def __init__(self, provider: Provider, batch: Batch, egress: Egress | None = None) -> None:
        """Raises UserError when the key cannot be read."""
        self.provider = provider
        self.batch = batch
        bounds = Bounds(provider.timeout_seconds, _MOST_BYTES)
        self._http = open_client(provider, bounds, egress)
        self._url = str(provider.base_url).rstrip("/")
        self._jobs = "/batches" if batch.api == "openai" else "/batch/jobs"

    def upload(self, lines: IO[bytes]) -> str:
        """Send a file of requests from its position on, and return the server's name for it."""
        boundary = secrets.token_hex(16)
        with _multipart(lines, boundary) as body:
            told = self._ask(
                "POST",
                "/files",
                data=body,
                headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
                bounds=self._bounds_of_file(_MOST_BYTES),
            )
        return self._name(told)

    def submit(self, file_id: str, key: str) -> RemoteBatch:
        hours = self.batch.window_hours
        if self.batch.api == "mistral":
            wanted: dict[str, Any] = {"input_files": [file_id], "endpoint": ENDPOINT}
            wanted |= {"model": self.provider.model, "timeout_hours": hours}
        else:
            wanted = {"input_file_id": file_id, "endpoint": ENDPOINT}
            wanted["completion_window"] = f"{hours}h"
        wanted["metadata"] = {KEY: key}
        return self._remote(self._ask("POST", self._jobs, data=orjson.dumps(wanted)))

    def read(self, remote_id: str) -> RemoteBatch:
        return self._remote(self._ask("GET", f"{self._jobs}/{remote_id}"))

    def find(self, key: str) -> RemoteBatch | None:
        """Return the batch that was submitted with this key, if it is among the newest.

        Raises NotListed.
        """
        after: str | None = None
        for page in range(_PAGES):
            params: dict[str, Any] = {"limit": _PAGE}
            if after is not None:
                params["after"] = after
            if self.batch.api == "mistral":
                params = {"page": page, "page_size": _PAGE}
            found = self._list(params)
            for told in found:
                if told.key == key:
                    return told
            if len(found) < _PAGE:
                return None
            after = found[-1].id
        return None

    @contextmanager
    def answers(self, file_id: str, *, texts: int) -> Iterator[Iterator[bytes]]:
        """Yield the lines of a file, for this number of texts, once all of it is here.

        A line that is too long comes in pieces, which are no JSON. Raises Transient when the file
        was cut or holds more than these texts can need.
        """
        per_text = _LINE_BYTES + self.provider.max_tokens * _BYTES_PER_TOKEN
        bounds = self._bounds_of_file(_MOST_BYTES + texts * per_text)
        with tempfile.TemporaryFile() as kept:
            lines = 0
            with self._content(file_id, bounds) as stream:
                for piece in stream.pieces():
                    lines += piece.count(b"\n")
                    if lines > _LINES_PER_TEXT * texts:
                        message = f"{self.provider.name}: more answers than were asked for"
                        raise Transient(message, billed=True)
                    kept.write(piece)
            kept.seek(0)
            lines_of = iter(lambda: kept.readline(_MOST_LINE_BYTES), b"")
            yield (line for line in lines_of if line.strip())

    @contextmanager
    def _content(self, file_id: str, bounds: Bounds) -> Iterator[Stream]:
        try:
            with self._open("GET", f"/files/{file_id}/content", bounds=bounds) as stream:
                yield stream
        except Gone as error:
            error.what = "file_gone"
            raise

    def _bounds_of_file(self, body_bytes: int) -> Bounds:
        return Bounds(_TIMEOUTS_PER_FILE * self.provider.timeout_seconds, body_bytes)

    def _list(self, params: dict[str, Any]) -> list[RemoteBatch]:
        try:
            told = self._ask("GET", with_query(self._jobs, params))
        except (Gone, BadRequest):
            raise NotListed from None
        data = told.get("data") or []
        if not isinstance(data, list):
            raise NotListed
        return [self._remote(each) for each in data if isinstance(each, dict)]

    def _ask(self, method: Literal["GET", "POST"], path: str, **more: Any) -> dict[str, Any]:
        with self._open(method, path, **more) as stream:
            body = stream.read()
        try:
            told = orjson.loads(body)
        except orjson.JSONDecodeError:
            told = None
        if not isinstance(told, dict):
            # The server may have done the work: the batch is looked for.
            raise Transient(f"{self.provider.name}: an answer that is no JSON", billed=True)
        return told

    @contextmanager
    def _open(self, method: str, path: str, **more: Any) -> Iterator[Stream]:
        """Yield an answer that is no error, to be read within. Raises ChatError."""
        name = self.provider.name
        with translated(name), self._http.stream(method, self._url + path, **more) as stream:
            if stream.status in _UNKNOWN:
                raise Gone(f"{name}: HTTP {stream.status}")
            if stream.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
                answer = HttpAnswer(stream.status, stream.headers, stream.read())
                raise error_of(name, answer, self._http.redacted)
            yield stream

    def _name(self, told: Mapping[str, Any]) -> str:
        name = told.get("id")
        if not isinstance(name, str) or not name or "/" in name:
            raise Transient(f"{self.provider.name}: an answer without an id", billed=True)
        return name

    def _remote(self, told: Mapping[str, Any]) -> RemoteBatch:
        metadata = told.get("metadata")
        key = metadata.get(KEY) if isinstance(metadata, dict) else None
        names = ("output_file_id", "error_file_id", "output_file", "error_file")
        # Some servers send a file's name, some an object that holds it.
        found = (
            each.get("id") if isinstance(each, dict) else each for each in map(told.get, names)
        )
        files = tuple(each for each in found if isinstance(each, str) and each)
        end = _ENDS.get(str(told.get("status")).lower())
        return RemoteBatch(self._name(told), end, files, key, _cause(told.get("errors")))


def _cause(errors: Any) -> str | None:
    """Return the first code; a message may quote anything."""
    found = errors.get("data") if isinstance(errors, dict) else errors
    rows = found if isinstance(found, list) else []
    codes = [each.get("code") for each in rows if isinstance(each, dict)]
    return next((code for code in codes if isinstance(code, str) and _CODE.fullmatch(code)), None)


def _multipart(lines: IO[bytes], boundary: str) -> IO[bytes]:
    """Return the form as a file: a batch is too large for memory."""
    form = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    form.write(
        f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="batch.jsonl"\r\n'
        "Content-Type: application/jsonl\r\n\r\n".encode()
    )
    while chunk := lines.read(_COPY_BYTES):
        form.write(chunk)
    form.write(f"\r\n--{boundary}--\r\n".encode())
    form.seek(0)
    return form
