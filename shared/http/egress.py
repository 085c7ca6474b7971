"""The ways that a request may take: proxy, certificates, where secrets and redirects may go.

It imports no HTTP library: settings of services that send no request hold a egress, too.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from shared.http.errors import Forbidden

_SCHEMES = frozenset({"http", "https"})
# Names that no public server has: of containers, of clusters, of one's own network.
_NEAR_ENDS = (".internal", ".local", ".localhost", ".svc")

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Redirects:
    """The redirects that are followed: within one server, or to hosts of these names or below."""

    names: Sequence[str]
    most: int = 5

    def target(self, url: str, location: str) -> tuple[str, bool]:
        """Return where a redirect leads, and whether that must be a public address.

        Raises Forbidden.
        """
        try:
            target = urljoin(url, location)
            here, there = urlsplit(url), urlsplit(target)
            here_port, there_port = _port(here), _port(there)
        except ValueError:
            raise Forbidden("redirects to no address that can be read") from None
        host = there.hostname or ""
        if there.scheme not in _SCHEMES or not host or "@" in there.netloc:
            raise Forbidden("redirects to no address that can be read")
        if here.scheme == "https" and there.scheme != "https":
            raise Forbidden(f"redirects from https to http://{host}")
        if (here.scheme, here.hostname, here_port) == (there.scheme, host, there_port):
            return target, False
        if not any(host == name or host.endswith(f".{name}") for name in self.names):
            raise Forbidden(f"redirects to {host}, which is not allowed")
        return target, True


@dataclass(frozen=True, slots=True)
class Egress:
    """`https_ca_file` is trusted besides the usual certificates; hosts nearby need no proxy.

    Without `redirects` none is followed: it is an answer as any other. With `public_only` none but
    addresses of the Internet is asked.
    """

    https_ca_file: Path | None = None
    proxy_url: str = ""
    redirects: Redirects | None = None
    public_only: bool = False

    def proxies(self, url: str) -> dict[str, str]:
        """Return the proxies for this address, as requests names them."""
        if not self.proxy_url or is_near(urlsplit(url).hostname or ""):
            return {}
        return {"http": self.proxy_url, "https": self.proxy_url}


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def is_near(host: str) -> bool:
    """Return whether a host is this machine or on a network of one's own, as its name says."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return (bool(host) and "." not in host) or host.endswith((*_NEAR_ENDS, ".cluster.local"))
    return address.is_loopback or address.is_private


def is_here(url: str) -> bool:
    """Return whether an address is one of this machine."""
    return is_this_machine(urlsplit(url).hostname or "")


def is_this_machine(host: str) -> bool:
    """Return whether a host is this machine, as its name says."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_public(address: str) -> bool:
    """Return whether a numeric address is one of the Internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or _translated(found) or found
    return found.is_global and not found.is_multicast


def _translated(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the address that a network of IPv6 alone reaches by this one."""
    return ipaddress.IPv4Address(address.packed[-4:]) if address in _NAT64 else None


def may_carry_secrets(url: str) -> bool:
    """Return whether a key or password may go there: encrypted, or to a host nearby."""
    parts = urlsplit(url)
    return parts.scheme == "https" or is_near(parts.hostname or "")
