"""The management API of a RabbitMQ server, as tests use it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import requests

_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class RabbitmqAdmin:
    base_url: str
    user: str
    password: str

    def overview(self) -> dict[str, Any]:
        answer: dict[str, Any] = self._call("GET", "overview").json()
        return answer

    def depths(self) -> dict[str, int]:
        """Count the messages of each queue; one that has just been declared has no count yet."""
        rows = self._call("GET", "queues", columns="name,messages").json()
        return {str(row["name"]): int(row.get("messages", 0)) for row in rows}

    def is_whole(self, size: int) -> bool:
        """Return whether all nodes of a cluster run together, and each queue has them all."""
        nodes, queues = self.shape()
        return nodes == size and all(online == size for online in queues.values())

    def shape(self) -> tuple[int, dict[str, int]]:
        """Count the nodes that run together, and the nodes of each queue."""
        nodes = self._call("GET", "nodes").json()
        queues = self._call("GET", "queues", columns="name,online").json()
        together = [each for each in nodes if each["running"] and not each.get("partitions")]
        return len(together), {each["name"]: len(each.get("online", ())) for each in queues}

    def create_vhost(self, name: str) -> None:
        self._call("PUT", "vhosts", name)
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self._call("PUT", "permissions", name, self.user, body=everything)

    def delete_vhost(self, name: str) -> None:
        self._call("DELETE", "vhosts", name)

    def limit_connections(self, vhost: str, count: int) -> None:
        """Refuse connections above `count`; -1 lifts the limit."""
        self._call("PUT", "vhost-limits", vhost, "max-connections", body={"value": count})

    def connections(self, vhost: str) -> list[str]:
        return [row["name"] for row in self._call("GET", "vhosts", vhost, "connections").json()]

    def close_connections(self, vhost: str) -> int:
        names = self.connections(vhost)
        for name in names:
            self._call("DELETE", "connections", name)
        return len(names)

    def _call(
        self, method: str, *path: str, body: dict[str, Any] | None = None, **parameters: str
    ) -> requests.Response:
        answer = requests.request(
            method,
            "/".join([self.base_url, "api", *(quote(part, safe="") for part in path)]),
            params=parameters,
            json=body,
            auth=(self.user, self.password),
            timeout=_TIMEOUT_SECONDS,
        )
        answer.raise_for_status()
        return answer


@dataclass
class RabbitmqServer:
    """A RabbitMQ server for tests: a private node, or one given by URL."""

    url: str
    admin: RabbitmqAdmin

    def url_for(self, vhost: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path="/" + quote(vhost, safe="")))


def server_at(url: str, management_url: str | None) -> RabbitmqServer:
    """Return the server at this AMQP URL; its management API is at port 15672 by default."""
    parts = urlsplit(url)
    return RabbitmqServer(
        url,
        RabbitmqAdmin(
            (management_url or f"http://{parts.hostname}:15672").rstrip("/"),
            parts.username or "guest",
            parts.password or "guest",
        ),
    )
