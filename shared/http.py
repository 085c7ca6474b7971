"""HTTP sessions; none of them retries by itself."""

import requests
from requests.adapters import HTTPAdapter


def make_session(*, pool_size: int, max_redirects: int = 0) -> requests.Session:
    """Make a session that keeps `pool_size` connections to each address and retries nothing.

    Without redirects it goes to one address only: neither a redirect nor a proxy or a .netrc of
    the environment changes what is sent where.
    """
    session = requests.Session() if max_redirects else _DirectSession()
    session.max_redirects = max_redirects
    adapter = HTTPAdapter(pool_connections=max_redirects + 1, pool_maxsize=pool_size, max_retries=0)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


class _DirectSession(requests.Session):
    """A session that follows no redirect, and does not read where one leads.

    `allow_redirects=False` alone still reads the whole body of an answer that redirects, however
    long, and takes its Location apart, with errors that are not those of requests.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def get_redirect_target(self, resp: requests.Response) -> None:
        del resp
