"""The parameters of connections to RabbitMQ, read from its URL; amqps checks who answers."""

import ssl
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pika
import pika.exceptions

from shared.errors import UserError

# RabbitMQ's own clients call it so in their URLs.
_CA_FILE = "cacertfile"

# pika passes on the errors of a handshake as they are.
CONNECTION_ERRORS = (pika.exceptions.AMQPError, ssl.SSLError)


def read_broker_url(url: str) -> list[pika.ConnectionParameters]:
    """Return the parameters of each address; `;` separates the nodes of a cluster.

    `amqps://…?cacertfile=/FILE` trusts the certificates of that file alone; without it those of
    the system. Raises UserError, without the URL: it holds a password.
    """
    return [_read(each) for each in url.split(";")]


def ca_file_of(url: str) -> Path | None:
    """Return the file of certificates that a broker URL names."""
    found = parse_qs(urlsplit(url).query).get(_CA_FILE)
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
