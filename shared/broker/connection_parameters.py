"""The parameters of connections to RabbitMQ, read from its URL; amqps checks who answers."""

import contextlib
import random
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pika
import pika.exceptions

from shared.errors import UserError

# RabbitMQ's own clients call it so in their URLs.
_CA_FILE = "cacertfile"

# pika passes on the errors of a handshake, and of a name that is gone, as they are.
CONNECTION_ERRORS = (pika.exceptions.AMQPError, ssl.SSLError, socket.gaierror)


def read_broker_url(url: str) -> list[pika.ConnectionParameters]:
    """Return the parameters of each address; `;` separates the nodes of a cluster.

    `amqps://…?cacertfile=/FILE` trusts the certificates of that file alone; without it those of
    the system. Raises UserError, without the URL: it holds a password.
    """
    return [_read(each) for each in url.split(";")]


def reachable(parameters: Sequence[pika.ConnectionParameters]) -> list[pika.ConnectionParameters]:
    """Return the nodes in random order, without those whose name is gone.

    pika gives up all nodes at a name that does not resolve; a node of a cluster that ends takes its
    name with it. Where none resolves, all are returned.
    """
    shuffled = random.sample(parameters, len(parameters))
    if len(shuffled) == 1:
        return shuffled
    return [each for each in shuffled if _resolves(each)] or shuffled


def _resolves(parameters: pika.ConnectionParameters) -> bool:
    with contextlib.suppress(OSError):
        return bool(socket.getaddrinfo(parameters.host, parameters.port, type=socket.SOCK_STREAM))
    return False


def ca_file_of(url: str) -> Path | None:
    """Return the file of certificates that a broker URL names."""
    found = parse_qs(urlsplit(url.partition(";")[0]).query).get(_CA_FILE)
    return Path(found[0]) if found else None


def described(error: BaseException) -> str:
    """Say in one line why no connection came about."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return "no secure connection: does this port speak TLS?"
    return f"{type(error).__name__}: {error}"


def _read(url: str) -> pika.ConnectionParameters:
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        ca_file = options.pop(_CA_FILE, None)
        parameters = pika.URLParameters(parts._replace(query=urlencode(options)).geturl())
    except (TypeError, ValueError):
        raise UserError(
            "the broker URL cannot be read: amqps://user:password@host:port/vhost"
        ) from None
    if parts.scheme == "amqps":
        parameters.ssl_options = pika.SSLOptions(_context(ca_file), parts.hostname)
    elif ca_file is not None:
        raise UserError(f"{_CA_FILE} in the broker URL is for amqps://")
    return parameters


def _context(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        why = "no certificates" if isinstance(error, ssl.SSLError) else error.strerror
        raise UserError(f"{_CA_FILE} in the broker URL: {ca_file}: {why}") from None
