import pytest

from services.simulator.errors import BadParameterError
from services.simulator.generation.identifiers import (
    LA_POSTE,
    decode_cursor,
    encode_cursor,
    luhn_sum,
    siren_of,
    siret_of,
)


@pytest.mark.parametrize(
    ("identifier", "cursor"),
    [
        ("00541022000015", "AoEuMDA1NDEwMjIwMDAwMTU="),
        ("83850672300017", "AoEuODM4NTA2NzIzMDAwMTc="),
        ("005410758", "AoEpMDA1NDEwNzU4"),
        ("510694227", "AoEpNTEwNjk0MjI3"),
    ],
)
def test_cursors_are_those_that_insee_gave_for_the_same_identifiers(
    identifier: str, cursor: str
) -> None:
    assert encode_cursor(identifier) == cursor
    assert decode_cursor(cursor) == identifier


@pytest.mark.parametrize("cursor", ["", "**", "AoEu", "MDA1NDEwMjIwMDAwMTU=", "AoEpYWJjZGVmZ2hp"])
def test_a_cursor_that_insee_cannot_have_given_is_refused(cursor: str) -> None:
    with pytest.raises(BadParameterError):
        decode_cursor(cursor)


def test_real_identifiers_are_rebuilt_from_their_first_digits() -> None:
    assert siren_of(30613890) == "306138900"
    assert siret_of("306138900", 129) == "30613890001294"
    assert siret_of("542051180", 6) == "54205118000066"


def test_establishments_of_la_poste_follow_their_own_rule() -> None:
    sirets = [siret_of(LA_POSTE, number) for number in range(1, 60)]
    assert all(sum(map(int, siret)) % 5 == 0 for siret in sirets)
    assert any(luhn_sum(siret) % 10 for siret in sirets)
