"""A client for batches at a server, with OpenAI's addresses or Mistral's.

It raises the errors of a call (`providers.chat`), and tries nothing twice.
"""

import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Literal

import orjson
import requests

from services.reviewer.providers.chat import (
    CONNECT_SECONDS,
    BadRequest,
    ChatRefused,
    Transient,
    error_of,
    open_session,
    translated,
)
from services.reviewer.providers.settings import Batch, Provider
from shared.errors import SirenadeError

ENDPOINT = "/v1/chat/completions"
KEY = "sirenade_batch"
"""Name of the metadata by which a batch is found again."""

_CHUNK_BYTES = 1 << 16
# The newest batches come first. A batch is looked for soon: it is on these pages.
_PAGES = 20
_PAGE = 100
_UNKNOWN = frozenset({404, 405, 501})
_COPY_BYTES = 1 << 20


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

    `end` is the state in which it has ended, None while it is under way.
    """

    id: str
    end: str | None
    files: tuple[str, ...]
    key: str | None


class NotListed(SirenadeError):
    """Raised when the server cannot list its batches."""


class Gone(ChatRefused):
    """Raised when the server does not know a batch or a file."""


class BatchClient:
    """A client for one thread at a time."""

    def __init__(self, provider: Provider, batch: Batch) -> None:
        """Raises UserError when the key cannot be read."""
        self.provider = provider
        self.batch = batch
        self._session = open_session(provider)
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
    def answers(self, file_id: str) -> Iterator[Iterator[bytes]]:
        """Yield the lines of a file once all of it is here. Raises Transient when it was cut."""
        with tempfile.TemporaryFile() as kept:
            with self._send("GET", f"/files/{file_id}/content", stream=True) as response:
                while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
                    kept.write(chunk)
            kept.seek(0)
            yield (line for line in kept if line.strip())

    def _list(self, params: dict[str, Any]) -> list[RemoteBatch]:
        try:
            told = self._ask("GET", self._jobs, params=params)
        except (Gone, BadRequest):
            raise NotListed from None
        data = told.get("data") or []
        if not isinstance(data, list):
            raise NotListed
        return [self._remote(each) for each in data if isinstance(each, dict)]

    def _ask(self, method: Literal["GET", "POST"], path: str, **more: Any) -> dict[str, Any]:
        with self._send(method, path, **more) as response:
            try:
                told = orjson.loads(response.content)
            except orjson.JSONDecodeError:
                told = None
        if not isinstance(told, dict):
            # The server may have done the work: the batch is looked for.
            raise Transient(f"{self.provider.name}: an answer that is no JSON", billed=True)
        return told

    @contextmanager
    def _send(self, method: str, path: str, **more: Any) -> Iterator[requests.Response]:
        name = self.provider.name
        timeouts = CONNECT_SECONDS, self.provider.timeout_seconds
        url, more = self._url + path, {"timeout": timeouts, "allow_redirects": False, **more}
        with translated(name), self._session.request(method, url, **more) as response:
            if response.status_code in _UNKNOWN:
                raise Gone(f"{name}: HTTP {response.status_code}")
            if response.status_code not in {requests.codes.ok, requests.codes.created}:
                raise error_of(name, response, response.content)
            yield response

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
        return RemoteBatch(self._name(told), end, files, key)


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
