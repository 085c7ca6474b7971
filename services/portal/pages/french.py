"""Dates and numbers as French readers write them. Pure."""

import datetime as dt

_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août"),
    *("septembre", "octobre", "novembre", "décembre"),
)
_THIN = "\u202f"


def long_date(day: dt.date) -> str:
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {_MONTHS[day.month - 1]} {day.year}"


def thousands(number: int) -> str:
    return f"{number:,}".replace(",", _THIN)


def spaced_siren(siren: str) -> str:
    return " ".join((siren[:3], siren[3:6], siren[6:9]))


def spaced_siret(siret: str) -> str:
    return f"{spaced_siren(siret)} {siret[9:]}"


def capitalised(text: str) -> str:
    """Return the text with a capital first letter; the others stay."""
    return text[:1].upper() + text[1:]
