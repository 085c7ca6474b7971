"""A page has one name, and says which field it came from."""

from tests.integration.writer.desk import Desk
from tests.integration.writer.page_rows import accept, avis_of, pages
from tests.integration.writer.records import Records
from tests.integration.writer.register import records_of

ON_TWO_SHARDS = True


def test_the_names_of_the_register_are_on_the_pages(desk: Desk) -> None:
    desk.import_(*records_of("10_names"))
    found = {page["siret"]: (page["nom"], page["nom_source"]) for page in pages(desk)}
    school = "ECOLE ELEMENTAIRE PUBLIQUE INTERCOMMUNALE DU VAL DE SAONE ET DES MONTS D OR"
    assert found == {
        "93400000100010": (school, "enseigne"),
        "93400001900010": ("ATELIER DUMONT", "denomination"),
        "93400002700010": ("ATELIER DUMONT", "denomination"),
        "93400003500010": ("ATELIER DUMONT", "denomination"),
        "93400004300010": ("FPG INVEST", "denomination"),
    }


def test_an_obsolete_field_that_comes_and_goes_changes_no_page_and_no_text(
    desk: Desk, records: Records
) -> None:
    desk.import_(records.record())
    accept(desk)
    (before,), text = pages(desk), avis_of(desk)["text"]
    for day, usual in enumerate(("VIEUX NOM", None, "VIEUX NOM"), start=1):
        unite = {"denominationUsuelle1UniteLegale": usual}
        desk.import_(records.record(treated=f"2026-02-0{day}T00:00:00", unite=unite))
        assert pages(desk) == [before]
        avis = avis_of(desk)
        assert (avis["outcome"], avis["text"]) == ("accepted", text)


def test_a_name_that_must_not_be_shown_leaves_no_source(desk: Desk, records: Records) -> None:
    desk.import_(records.record(enseigne="CHEZ ZORGLUB"))
    desk.import_(records.record(statut="P", treated="2026-02-01T00:00:00"))
    (page,) = pages(desk)
    assert (page["nom"], page["nom_source"]) == (None, None)
