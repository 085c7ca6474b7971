"""GET for JSON, with a short timeout and one error."""

import http.client
import json
import urllib.request
from typing import Any

from shared.errors import SirenadeError

_TIMEOUT_SECONDS = 2.0


class Unanswered(SirenadeError):
    """Raised when no answer comes, or none that can be read; its text never quotes an answer."""


def get_json(url: str, **headers: str) -> Any:
    """Return what the JSON at an http(s) URL holds. Raises Unanswered."""
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # http or https, as the settings check
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310  # as above
            return json.load(answer)
    except (OSError, ValueError, http.client.HTTPException) as error:
        status = getattr(error, "code", None)
        raise Unanswered(str(status) if status else type(error).__name__) from None
