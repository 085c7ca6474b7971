"""SIREN and SIRET numbers, and the cursors that INSEE makes of them."""

import base64
import binascii

from services.simulator.errors import BadParameterError

LA_POSTE = "356000000"
SIREN_LENGTH = 9
SIRET_LENGTH = 14

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn_sum(digits: str) -> int:
    """Sum the digits; every second one from the right is doubled, and its digits are added."""
    return sum(map(int, digits[::-2])) + sum(map(_DOUBLED.__getitem__, map(int, digits[-2::-2])))


def check_digit(digits: str) -> str:
    return str(-luhn_sum(digits + "0") % 10)


def siren_of(base: int) -> str:
    """Make the SIREN whose first eight digits are `base`."""
    digits = f"{base:08d}"
    return digits + check_digit(digits)


def siret_of(siren: str, number: int) -> str:
    """Make the SIRET of the unit's establishment `number` (1 to 9999).

    La Poste has another rule: the plain sum of the fourteen digits is a multiple of five.
    """
    digits = f"{siren}{number:04d}"
    if siren == LA_POSTE:
        return digits + str(-sum(map(int, digits)) % 5)
    return digits + check_digit(digits)


def encode_cursor(identifier: str) -> str:
    """Make the cursor after `identifier`: base64 of 02 81 (0x20 | length) identifier."""
    raw = bytes((0x02, 0x81, 0x20 | len(identifier))) + identifier.encode("ascii")
    return base64.b64encode(raw).decode("ascii")


def decode_cursor(cursor: str) -> str:
    """Raises BadParameterError for a cursor that this API cannot have given out."""
    try:
        raw = base64.b64decode(cursor, validate=True)
        identifier = raw[3:].decode("ascii")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise BadParameterError("curseur", cursor) from error
    if not identifier.isdigit() or encode_cursor(identifier) != cursor:
        raise BadParameterError("curseur", cursor)
    return identifier
