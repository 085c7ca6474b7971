"""SIREN and SIRET. Their shape is required; their check digit is a hint only.

INSEE lists numbers with a wrong check digit, so that no record is refused for one.
"""

import re
from collections.abc import Mapping

LA_POSTE = "356000000"
NOBODY = "000000000"
_SIREN = re.compile(r"[0-9]{9}")
_SIRET = re.compile(r"[0-9]{14}")


def is_siren(text: str) -> bool:
    return _SIREN.fullmatch(text) is not None


def is_siret(text: str) -> bool:
    return _SIRET.fullmatch(text) is not None


def siren_of(siret: str) -> str:
    return siret[:9]


def owner_of(record: object) -> str | None:
    """Return the siret or else the siren of one of INSEE's records; None where it has neither."""
    if not isinstance(record, Mapping):
        return None
    siret, siren = record.get("siret"), record.get("siren")
    if isinstance(siret, str) and is_siret(siret):
        return siret
    return siren if isinstance(siren, str) and is_siren(siren) else None


def has_valid_check_digit(number: str) -> bool:
    """Return whether a SIREN or SIRET of the right shape follows Luhn's rule.

    La Poste has more establishments than the rule has numbers. For these the plain sum of the
    fourteen digits is a multiple of five.
    """
    if _luhn_sum(number) % 10 == 0:
        return True
    return (
        is_siret(number)
        and siren_of(number) == LA_POSTE
        and sum(int(digit) for digit in number) % 5 == 0
    )


def _luhn_sum(digits: str) -> int:
    total = 0
    for rank, digit in enumerate(reversed(digits)):
        value = int(digit) << (rank & 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004  the two digits of the value are added
    return total
