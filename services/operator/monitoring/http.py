"""GET and JSON for what a look at things needs: short of patience, and with one error."""

import http.client
import json
import urllib.request
from typing import Any

from shared.errors import SirenadeError

_TIMEOUT_SECONDS = 2.0


class Unanswered(SirenadeError):
    """Raised when there is no answer, or none that can be read; the message never quotes it."""


def get_json(request: urllib.request.Request) -> Any:
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310  # http or https, as the settings check
            return json.load(answer)
    except (OSError, ValueError, http.client.HTTPException) as error:
        status = getattr(error, "code", None)
        raise Unanswered(str(status) if status else type(error).__name__) from None
