"""HTTP sessions that go to one address only."""

import requests


class DirectSession(requests.Session):
    """Follows no redirect, and does not look where one leads.

    `allow_redirects=False` alone still reads the whole body of an answer that redirects, however
    long, and takes its Location apart, with errors that are not those of requests. Neither a proxy
    nor a .netrc of the environment may change what is sent where.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def get_redirect_target(self, resp: requests.Response) -> None:
        del resp
