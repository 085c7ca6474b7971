"""A group of establishments ends with a unit, unless the unit is larger than a group."""

import pytest

from services.writer.stock.pages import cut_between_unites


@pytest.mark.parametrize(
    ("unites", "groups"),
    [
        ("", []),
        ("A", ["A"]),
        ("ABCDEF", ["ABC", "DEF"]),
        ("ABCCDE", ["AB", "CCD", "E"]),
        ("AAAAB", ["AAA", "AB"]),
        ("ABBBB", ["A", "BBB", "B"]),
    ],
)
def test_groups_are_cut_between_units(unites: str, groups: list[str]) -> None:
    sirets = [f"{unite * 9}{number:05d}" for number, unite in enumerate(unites)]
    found = list(cut_between_unites(sirets, 3))
    assert ["".join(siret[0] for siret in group) for group in found] == groups
    assert [siret for group in found for siret in group] == sirets
