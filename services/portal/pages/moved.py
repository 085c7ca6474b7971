"""The way of a slug that no open page has: to the page of its siret, or to nothing.

A slug that was lost by an erasure holds the name that was erased: it leads nowhere (ADR 20).
"""

from typing import NamedTuple

from services.portal.pages.statements import MOVED
from services.portal.web.connections import PortalDatabases
from shared.sirene.slugs import anonymous_slug

# A duplicate of a duplicate is rare, a circle a fault of the data.
_MOST_STEPS = 5


class Moved(NamedTuple):
    """`slug` is the page to go to; without one the page is gone."""

    slug: str | None


async def find_moved(databases: PortalDatabases, slug: str, siret: str) -> Moved | None:
    """Return where a slug that ends with this siret leads; None where nobody knows the siret."""
    asked, known = slug, False
    for _ in range(_MOST_STEPS):
        ((found, status, named, commune, redirected, target),) = await databases.of(siret).run(
            MOVED, (asked, siret)
        )
        known = known or found is not None or redirected
        if status == "open":
            lost_its_name = not named and not redirected
            if lost_its_name and asked not in {siret, anonymous_slug(siret, commune), found}:
                return Moved(None)
            return Moved(found)
        if target is None:
            break
        # The slug says nothing of the establishment that it leads to.
        asked = siret = target
    return Moved(None) if known else None
