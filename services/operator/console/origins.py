"""The origin of a request: its host, its site, and the proxy that may name an account."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers

from services.operator.console.settings import ConsoleSettings

_HERE = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Origins:
    """The origins that may ask: the console's own."""

    def __init__(self, settings: ConsoleSettings) -> None:
        own = urlsplit(settings.base_url)
        self.is_encrypted = own.scheme == "https"
        self._hosts = {own.netloc.lower()}
        if not settings.console_base_url:
            self._hosts |= {f"{host}:{settings.console_port}" for host in _HERE}
        self._header = settings.console_login_header
        self._proxies = settings.login_proxies

    def is_own_host(self, headers: Headers) -> bool:
        """Return whether the request is for us: a stranger's name may lead to our address."""
        return headers.get("host", "").lower() in self._hosts

    def is_own_site(self, headers: Headers) -> bool:
        """Return whether a page of ours sent the form. A browser says so in one way or another."""
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        origin = headers.get("origin") or headers.get("referer", "")
        return urlsplit(origin).netloc.lower() in self._hosts

    def named_login(self, headers: Headers, client: str | None) -> str | None:
        """Return the account that a trusted proxy names; None where none does."""
        if not self._header or client not in self._proxies:
            return None
        named = headers.getlist(self._header)
        return named[0] if len(named) == 1 and named[0] else None
