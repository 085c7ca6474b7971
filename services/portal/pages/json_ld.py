"""The page's facts as JSON-LD, fit for a script element. Pure."""

from typing import Any

import orjson
from markupsafe import Markup

from services.portal.pages.view import PageView

# An establishment may be named « </script> ».
_IN_SCRIPT = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"})


def script_of(view: PageView, address: str) -> Markup | None:
    """Return the establishment as schema.org names it; None where its name may not be told."""
    if view.name is None or view.registered is None:
        return None
    facts = view.registered
    street = None if facts.adresse is None else facts.voie or facts.adresse
    place: dict[str, Any] = {
        "@type": "PostalAddress",
        "streetAddress": street,
        "postalCode": None if street is None else facts.code_postal,
        "addressLocality": view.commune,
        "addressRegion": view.departement,
        "addressCountry": "FR",
    }
    created = facts.date_creation
    told: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "LocalBusiness",
        "@id": address,
        "url": address,
        "name": view.name,
        "legalName": facts.denomination,
        "description": view.activite,
        "identifier": {"@type": "PropertyValue", "propertyID": "SIRET", "value": view.siret},
        "foundingDate": None if created is None else created.isoformat(),
        "address": _known(place),
    }
    # Everything that ends a script or begins markup is written as its number.
    return Markup(orjson.dumps(_known(told)).decode().translate(_IN_SCRIPT))  # noqa: S704


def _known(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
