"""The endpoints of the API, without what they ask."""

from typing import Any

import pytest

from services.portal.api.changes.feed import Changements
from services.portal.api.endpoints import Endpoint, endpoints
from services.portal.api.exports.files import Exports
from services.portal.api.fiches import Fiches
from services.portal.api.recherche import Recherche

_NOTHING: Any = None


@pytest.fixture
def listed() -> list[Endpoint]:
    return endpoints(
        Recherche(_NOTHING, _NOTHING, _NOTHING),
        Fiches(_NOTHING, _NOTHING),
        Changements(_NOTHING, (), _NOTHING, ""),
        Exports(_NOTHING, _NOTHING, _NOTHING),
    )
