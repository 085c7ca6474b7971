"""A status of diffusion that nobody knows hides as a P does, until a newer O comes."""

import datetime as dt

import pytest

from tests.integration.writer.desk import FETCHED_AT, Desk
from tests.integration.writer.page_rows import accept, pages
from tests.integration.writer.records import Records

ON_TWO_SHARDS = True
_SHOWN = """
    SELECT e.statut_diffusion, e.enseigne1, e.libelle_voie, u.denomination
    FROM etablissements e JOIN unites_legales u USING (siren)
"""


@pytest.mark.parametrize("of_unite", [False, True])
def test_the_row_is_masked_and_comes_back_with_a_newer_o(
    desk: Desk, records: Records, *, of_unite: bool
) -> None:
    person = {"categorieJuridiqueUniteLegale": "1000"}
    before = records.record(1, enseigne="SECRET", unite=person)
    odd = records.record(
        1,
        enseigne="SECRET",
        treated="2026-02-01T00:00:00",
        statut="O" if of_unite else "V",
        unite=person | ({"statutDiffusionUniteLegale": "V"} if of_unite else {}),
    )
    after = records.record(1, enseigne="SECRET", treated="2026-03-01T00:00:00", unite=person)
    first, second, third = (FETCHED_AT + dt.timedelta(days=day) for day in range(3))
    desk.import_(before, fetched_at=first, sole_traders=True)
    accept(desk)
    result = desk.import_(odd, fetched_at=second, sole_traders=True)
    assert (result.failed, result.updated) == (0, 1)
    row = desk.one(_SHOWN)
    assert (row["enseigne1"], row["libelle_voie"]) == (None, None)
    if of_unite:
        assert row["denomination"] is None
    assert pages(desk)[0]["nom"] is None
    assert desk.one("SELECT outcome, text FROM avis") == {
        "outcome": "skipped_non_diffusible",
        "text": None,
    }
    assert desk.number("erasures") == 1
    assert result.unknown_codes == {("statut_diffusion", "V")}

    again = desk.import_(odd, fetched_at=second + dt.timedelta(hours=1), sole_traders=True)
    assert (again.unchanged, again.failed) == (1, 0)
    assert desk.import_(before, fetched_at=third, sole_traders=True).failed == 0
    assert desk.one(_SHOWN) == row

    desk.import_(after, fetched_at=third, sole_traders=True)
    row = desk.one(_SHOWN)
    assert (row["statut_diffusion"], row["enseigne1"]) == ("O", "SECRET")
    assert pages(desk)[0]["nom"] == "SECRET"
