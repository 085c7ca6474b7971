"""RabbitMQ's management API, where users and permissions are made."""

import secrets
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from services.operator.monitoring.queues import basic_of, first_of, management_url_of, vhost_of
from shared.broker.connection_parameters import ca_file_of
from shared.errors import UserError
from shared.http.client import Bounds, HttpClient
from shared.http.egress import Egress
from shared.http.errors import HttpError
from shared.roles.broker_users import BrokerUser, password_hash

_BOUNDS = Bounds(seconds=10.0, body_bytes=1 << 20)


class ManagementApi:
    """Makes users in the vhost of the broker's URL, whose user is an administrator."""

    def __init__(self, broker_url: str, management_url: str, egress: Egress) -> None:
        parts = urlsplit(first_of(broker_url))
        self._vhost = vhost_of(parts)
        self._url = management_url.rstrip("/") or management_url_of(parts)
        secret_headers = {"Authorization": basic_of(parts)}
        egress = replace(egress, https_ca_file=ca_file_of(broker_url) or egress.https_ca_file)
        self._http = HttpClient(_BOUNDS, egress=egress, secret_headers=secret_headers)

    def make(self, name: str, user: BrokerUser, password: str | None) -> bool:
        """Make the user, or change its permissions; without a password a user keeps its own.

        Return False where a new user has none: it is not made. Raises UserError.
        """
        if password is not None:
            hashed = password_hash(password, secrets.token_bytes(4))
            self._put("users", name, body={**hashed, "tags": user.tag})
        elif not self._has(name):
            return False
        self._put("permissions", self._vhost, name, body=user.permissions)
        return True

    def _has(self, name: str) -> bool:
        return self._ask("GET", "users", name) == HTTPStatus.OK

    def _put(self, *path: str, body: dict[str, Any]) -> None:
        status = self._ask("PUT", *path, body=body)
        if status not in {HTTPStatus.CREATED, HTTPStatus.NO_CONTENT}:
            raise UserError(f"RabbitMQ's management API refuses {path[0]}: HTTP {status}")

    def _ask(self, method: str, *path: str, body: dict[str, Any] | None = None) -> int:
        url = "/".join([self._url, "api", *(quote(part, safe="") for part in path)])
        try:
            answer = self._http.ask(
                method,
                url,
                data=None if body is None else orjson.dumps(body),
                headers={"Content-Type": "application/json"},
            )
        except HttpError as error:
            reason = type(error).__name__
            raise UserError(f"RabbitMQ's management API does not answer: {reason}") from None
        return answer.status
