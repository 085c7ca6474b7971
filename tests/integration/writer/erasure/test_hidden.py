"""Hidden data leaves the page and its text, and no record of its age brings it back."""

import pytest

from tests.integration.writer.desk import Desk
from tests.integration.writer.page_rows import accept, avis_of
from tests.integration.writer.records import Records

ON_TWO_SHARDS = True


def test_an_opposed_unit_leaves_nothing_personal(desk: Desk, records: Records) -> None:
    desk.execute("INSERT INTO oppositions (siren, reason) VALUES ('000000001', 'asked')")
    record = records.record(1, enseigne="CHEZ JEANNE")
    desk.import_(record)
    assert avis_of(desk)["outcome"] == "skipped_opposition"
    row = desk.one("""
        SELECT u.denomination, e.enseigne1, e.libelle_voie, e.code_commune, p.nom, p.slug
        FROM unites_legales u JOIN etablissements e USING (siren) JOIN pro_localisations p
          USING (siret)
    """)
    assert row == {
        "denomination": None,
        "enseigne1": None,
        "libelle_voie": None,
        "code_commune": "33063",
        "nom": None,
        "slug": "etablissement-bordeaux-00000000100001",
    }
    assert desk.import_(record).unchanged == 1
    desk.execute("DELETE FROM oppositions")
    desk.import_(record)
    assert avis_of(desk)["outcome"] == "pending"


def _tables_that_say(desk: Desk, *words: str) -> list[str]:
    """Return the tables that still hold one of the words."""
    tables = (
        "unites_legales",
        "etablissements",
        "pro_localisations",
        "page_redirects",
        "avis",
        "avis_attempts",
        "failed_items",
        "erasures",
    )
    found = []
    for table in tables:
        rows = desk.execute(f"SELECT {table}::text AS line FROM {table}")
        if any(word in row["line"] for row in rows for word in words):
            found.append(table)
    return found


def test_a_unit_that_turns_partial_is_erased_everywhere(desk: Desk, records: Records) -> None:
    siren = "000000007"
    first = records.record(1, siren=siren, unite={"denominationUniteLegale": "ZORGLUB"})
    second = records.record(2, siren=siren, unite={"denominationUniteLegale": "ZORGLUB"})
    moved = records.record(
        2,
        siren=siren,
        treated="2026-01-02T00:00:00",
        commune="24322",
        unite={"denominationUniteLegale": "ZORGLUB"},
    )
    bystander = records.record(3)
    desk.import_(first, second, bystander)
    accept(desk, "Zorglub est une boulangerie.")
    desk.import_(moved)
    desk.execute(
        """
        INSERT INTO failed_items (kind, key, siren, payload, code, message)
        VALUES ('write', 'k', :siren, 'ZORGLUB', 'c', 'm')
        """,
        siren=siren,
    )
    assert "page_redirects" in _tables_that_say(desk, "ZORGLUB", "zorglub", "Zorglub")
    partial = records.record(
        1,
        siren=siren,
        treated="2026-02-01T00:00:00",
        unite={"denominationUniteLegale": "[ND]", "statutDiffusionUniteLegale": "P"},
    )
    desk.import_(partial)
    assert _tables_that_say(desk, "ZORGLUB", "zorglub", "\\x5a4f52474c5542") == []
    mine = desk.execute("SELECT * FROM avis WHERE siren = :siren", siren=siren)
    assert len(mine) == 2
    assert {row["outcome"] for row in mine} == {"skipped_non_diffusible"}
    for row in mine:
        assert [row[name] for name in ("text", "label", "model", "accepted_facts_hash")] == [
            None
        ] * 4
    assert desk.execute("SELECT 1 FROM avis_attempts WHERE siren = :siren", siren=siren) == []
    tombstone = desk.one("SELECT siren, date_dernier_traitement, reason FROM erasures")
    assert (tombstone["siren"], tombstone["reason"]) == (siren, "partial_diffusion")
    other = desk.one("SELECT * FROM avis WHERE siren = :siren", siren=bystander["siren"])
    assert (other["outcome"], other["text"]) == ("accepted", "Zorglub est une boulangerie.")
    desk.import_(partial)
    assert desk.number("erasures") == 1


def test_an_establishment_that_turns_partial_loses_its_own_text_only(
    desk: Desk, records: Records
) -> None:
    siren = "000000007"
    desk.import_(records.record(1, siren=siren), records.record(2, siren=siren))
    accept(desk)
    desk.import_(records.record(1, siren=siren, statut="P", treated="2026-02-01T00:00:00"))
    outcomes = desk.execute("SELECT outcome, text FROM avis ORDER BY siret")
    assert [(row["outcome"], row["text"]) for row in outcomes] == [
        ("skipped_non_diffusible", None),
        ("accepted", "Un texte."),
    ]
    assert desk.number("erasures") == 1
    later = records.record(2, siren=siren, treated="2026-01-15T00:00:00")
    desk.import_(later)
    assert desk.one("SELECT denomination FROM unites_legales")["denomination"] == f"ATELIER {siren}"


@pytest.mark.parametrize(
    ("categorie", "denomination"), [("1000", None), ("5499", "ATELIER 000000001")]
)
def test_a_tombstone_keeps_clear_values_of_its_age_out_of_a_restored_register(
    desk: Desk, records: Records, categorie: str, denomination: str | None
) -> None:
    unite = {"categorieJuridiqueUniteLegale": categorie}
    clear = records.record(treated="2026-01-01T00:00:00", enseigne="CHEZ LUI", unite=unite)
    desk.import_(clear)
    partial = {**unite, "statutDiffusionUniteLegale": "P"}
    desk.import_(records.record(treated="2026-02-01T00:00:00", unite=partial))
    desk.execute("TRUNCATE unites_legales, etablissements, pro_localisations, avis")
    desk.import_(clear)
    row = desk.one("""
        SELECT u.statut_diffusion, denomination, enseigne1, libelle_voie
        FROM unites_legales u JOIN etablissements USING (siren)
    """)
    assert row == {
        "statut_diffusion": "P",
        "denomination": denomination,
        "enseigne1": None if categorie == "1000" else "CHEZ LUI",
        "libelle_voie": None,
    }
    assert avis_of(desk)["outcome"] == "skipped_non_diffusible"
    desk.import_(records.record(treated="2026-03-01T00:00:00"))
    assert avis_of(desk)["outcome"] == "pending", "a newer record of INSEE is open to all again"


@pytest.mark.parametrize(
    "hiding",
    [
        "INSERT INTO oppositions (siren, reason) VALUES ('000000001', 'asked')",
        """
        INSERT INTO erasures (siren, date_dernier_traitement, fetched_at, reason)
        VALUES ('000000001', '2026-02-01', now(), 'partial_diffusion')
        """,
    ],
    ids=["opposition", "tombstone"],
)
@pytest.mark.parametrize("number", [1, 2], ids=["unchanged", "new"])
def test_what_comes_again_is_hidden_where_a_clear_row_should_not_be(
    desk: Desk, records: Records, hiding: str, number: int
) -> None:
    """A restored backup has such rows, and so has a writer that had not seen the opposition."""
    person = {"denominationUniteLegale": "ZORGLUB", "categorieJuridiqueUniteLegale": "1000"}
    desk.import_(records.record(1, unite=person))
    assert _tables_that_say(desk, "ZORGLUB", "zorglub") == ["unites_legales", "pro_localisations"]
    desk.execute(hiding)
    record = records.record(number, siren="000000001", unite=person)
    desk.import_(record)
    assert _tables_that_say(desk, "ZORGLUB", "zorglub") == []
    desk.import_(record)
    assert desk.number("pro_localisations") == number
