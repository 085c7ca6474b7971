"""Encryption in transit: whether a password reaches a server in clear, as the URL says. Pure.

It is of the standard library: `make doctor` reads it too, before anything is installed.
"""

import contextlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from urllib.parse import parse_qs, unquote, urlsplit

from shared.http.egress import is_this_machine

# Containers of one machine; compose names them so (`deploy/compose/common.yaml`).
CONTAINERS = "postgres,rabbitmq,simulator"
_CHECKED = frozenset({"verify-ca", "verify-full"})


_SEVERAL = re.compile(
    r"(?P<before>[\w+]+://(?:[^/?#]*@)?)(?P<hosts>[^/?#@]*,[^/?#@]*)(?P<after>[/?#].*)?", re.DOTALL
)
_HOST_AND_PORT = re.compile(r"(\[[^]]*\]|[^:]*)(?::(\d*))?")


def with_hosts_apart(url: str) -> tuple[str, list[str]]:
    """Return the URL without the list of hosts in it, as in `postgresql://h1:5432,h2/name`."""
    found = _SEVERAL.fullmatch(url)
    if found is None:
        return url, []
    return found["before"] + (found["after"] or ""), unquote(found["hosts"]).split(",")


def host_and_port(listed: str) -> tuple[str, str]:
    """Split `host:port` or `[IPv6]:port`; the port is empty where none is named."""
    found = _HOST_AND_PORT.fullmatch(listed.strip())
    return (found[1].strip("[]"), found[2] or "") if found else (listed.strip(), "")


def hosts_of(listed: str) -> frozenset[str]:
    """Read a setting of hosts between commas."""
    return frozenset(name for each in listed.split(",") if (name := each.strip().lower()))


def doubts_about(addresses: Mapping[str, str], accepted: Collection[str] = ()) -> Iterator[str]:
    """Yield a sentence for each address, named by its setting, that is asked in clear.

    This machine and the hosts in `accepted` may be. No sentence holds more of a URL than its host.
    An address that cannot be read has no doubt: it has an error of its own. `;` separates the nodes
    of a broker.
    """
    for name, url in addresses.items():
        for each in url.split(";"):
            with contextlib.suppress(ValueError):
                if (doubt := _doubt(each, accepted)) is not None:
                    yield f"{name}: {doubt}"


def _doubt(url: str, accepted: Collection[str]) -> str | None:
    rest, listed = with_hosts_apart(url)
    parts = urlsplit(rest)
    scheme, options = parts.scheme.partition("+")[0], parse_qs(parts.query)
    named = [*listed, *(host for each in options.get("host", []) for host in each.split(","))]
    hosts = [unquote(parts.hostname or ""), *(host_and_port(each)[0] for each in named)]
    away = [host for host in hosts if not _is_near(host, accepted)]
    if not away:
        return None
    if scheme in {"postgresql", "postgres"}:
        return _of_postgresql(", ".join(away), options)
    if scheme == "amqp":
        return f"RabbitMQ ({away[0]}) is asked in clear: use amqps://"
    if scheme == "redis":
        return f"Redis ({away[0]}) is asked in clear: use rediss://"
    if scheme == "http":
        return f"a key goes to {away[0]} in clear: use https://"
    return None


def _of_postgresql(hosts: str, options: Mapping[str, Sequence[str]]) -> str | None:
    """Judge as libpq does: without `sslmode` it encrypts where the server happens to."""
    [*_, mode] = options.get("sslmode", ["prefer"])
    if mode in _CHECKED or (mode == "require" and "sslrootcert" in options):
        return None
    if mode == "require":
        return f"PostgreSQL ({hosts}) is asked without a look at its certificate: use verify-full"
    said = "is asked in clear" if mode == "disable" else "may be asked in clear"
    return f"PostgreSQL ({hosts}) {said}: use sslmode=verify-full"


def _is_near(host: str, accepted: Collection[str]) -> bool:
    # PostgreSQL's sockets are folders; a URL without a host names this machine's.
    return not host or host.startswith("/") or is_this_machine(host) or host.lower() in accepted
