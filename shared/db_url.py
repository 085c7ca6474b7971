"""URLs of databases: their spelling and their address, without a connection."""

from collections.abc import Sequence

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from shared.errors import UserError
from shared.transit import host_and_port, with_hosts_apart

DRIVER = "postgresql+psycopg2"
_PORT = 5432
_SESSIONS = "target_session_attrs"


def normalise_url(url: str) -> URL:
    """Return the URL with our driver; SQLAlchemy 2.1 would pick another one for a bare scheme.

    Several servers, in either spelling of libpq (`//h1:5432,h2/name`, `?host=h1,h2&port=5432`),
    stand in its query; of those the one that takes writes is meant. Raises UserError, without the
    URL: it holds a password.
    """
    rest, listed = with_hosts_apart(url)
    try:
        parsed = make_url(rest)
    except (ArgumentError, ValueError):
        raise UserError(
            "the database URL cannot be read: postgresql://user@host:port/name"
        ) from None
    if parsed.drivername.split("+")[0] not in {"postgresql", "postgres"}:
        raise UserError("the database URL must begin with postgresql://")
    # The driver would name the rest of the password as a host that it does not find.
    if "@" in f"{parsed.host} {parsed.database}":
        raise UserError(
            "the database URL has more than one @: write %40 for each one in the password"
        )
    return _with_servers(parsed.set(drivername=DRIVER), listed)


def servers_of(url: URL) -> list[tuple[str, int]]:
    """Return host and port of each server of a normalised URL; a host may be a socket's folder."""
    if url.host is not None:
        return [(url.host, url.port or _PORT)]
    hosts = _listed(url.query.get("host", ())) or [""]
    ports = [int(port or _PORT) for port in _listed(url.query.get("port", ()))] or [_PORT]
    return list(zip(hosts, ports * len(hosts) if len(ports) == 1 else ports, strict=True))


def database_address(url: str | URL) -> tuple[tuple[tuple[str, int], ...], str | None]:
    """Return servers and name: equal for two URLs of one database. Raises UserError."""
    parsed = normalise_url(url) if isinstance(url, str) else url
    return tuple(sorted(servers_of(parsed))), parsed.database


def with_login_of(control: str, url: str) -> str:
    """Return the URL; one that names no user gets the login of the control database's URL."""
    parsed = normalise_url(url)
    if parsed.username is not None:
        return url
    login = normalise_url(control)
    completed = parsed.set(username=login.username, password=login.password)
    return completed.render_as_string(hide_password=False)


def _with_servers(url: URL, listed: Sequence[str]) -> URL:
    """Write several servers as `host` and `port` of the query, which win as they do in libpq."""
    hosts = _listed(url.query.get("host", ())) or listed
    if len(hosts) < 2:  # noqa: PLR2004  # several
        return url
    servers = [host_and_port(host) for host in hosts]
    ports = _listed(url.query.get("port", ())) or [port for _, port in servers]
    if len(ports) not in {1, len(hosts)} or not all(port.isdigit() or not port for port in ports):
        raise UserError(
            f"the database URL names {len(hosts)} hosts: name one port, or one for each"
        )
    # An address of IPv6 has more colons.
    if any(not host or host.count(":") == 1 for host, _ in servers):
        raise UserError("the database URL names a host that cannot be read: host:port,host:port")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    query = {
        _SESSIONS: "read-write",
        **url.query,
        "host": ",".join(host for host, _ in servers),
        "port": ",".join(port or str(url.port or _PORT) for port in ports),
    }
    return url.set(query=query)._replace(host=None, port=None)


def _listed(value: str | Sequence[str]) -> list[str]:
    """Return what a parameter of a query lists, between commas or by its repetition."""
    named = [value] if isinstance(value, str) else value
    return [each for one in named for each in one.split(",")]
