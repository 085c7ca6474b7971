"""Pages open and close with the facts; an avis is due only where the facts are new and lawful."""

from typing import Any

import pytest


def _pages(desk: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in desk.execute("SELECT * FROM pro_localisations ORDER BY id")]


def _avis(desk: Any) -> dict[str, Any]:
    row: dict[str, Any] = desk.one("SELECT * FROM avis")
    return row


def _accept(desk: Any, text: str = "Un texte.") -> None:
    desk.execute(
        """
        UPDATE avis SET outcome = 'accepted', text = :text, label = 'L', model = 'm',
          prompt_version = 'p', digital_source_type = 'algorithmicMedia',
          accepted_facts_hash = facts_hash, accepted_at = now()
        WHERE outcome = 'pending'
        """,
        text=text,
    )
    desk.execute("""
        INSERT INTO avis_attempts (avis_id, siren, model, prompt_version, facts_hash, text,
          accepted, reasons, latency_seconds)
        SELECT id, siren, 'm', 'p', facts_hash, text, true, '{}', 1 FROM avis
    """)


def test_a_new_establishment_opens_a_page_with_a_due_avis(desk: Any, records: Any) -> None:
    desk.import_(records.record(1, enseigne="L'Épi d'Or"))
    (page,) = _pages(desk)
    assert page["status"] == "open"
    assert page["slug"] == "l-epi-d-or-bordeaux-00000000100001"
    assert page["libelle_commune"] == "Bordeaux"
    avis = _avis(desk)
    assert (avis["kind"], avis["outcome"], avis["pro_localisation_id"]) == (
        "notice",
        "pending",
        page["id"],
    )


def test_a_closed_establishment_has_no_page(desk: Any, records: Any) -> None:
    desk.import_(records.record(1, etat="F"), records.record(2, commune=None))
    assert _pages(desk) == []
    assert desk.number("avis") == 0


def test_a_changed_activity_closes_the_page_and_opens_another(desk: Any, records: Any) -> None:
    desk.import_(records.record(activite="10.71C"))
    desk.import_(records.record(activite="56.10A", treated="2026-02-01T00:00:00"))
    old, new = _pages(desk)
    assert (old["status"], new["status"]) == ("closed", "open")
    assert old["closed_at"] is not None
    assert new["slug"] == "atelier-000000001-bordeaux-00000000100001"
    outcomes = desk.execute("SELECT outcome FROM avis ORDER BY pro_localisation_id")
    assert [row["outcome"] for row in outcomes] == ["cancelled", "pending"]


def test_a_page_reopens_with_its_own_slug_and_its_good_text(desk: Any, records: Any) -> None:
    desk.import_(records.record())
    _accept(desk)
    desk.import_(records.record(etat="F", treated="2026-02-01T00:00:00"))
    (page,) = _pages(desk)
    assert page["status"] == "closed"
    desk.import_(records.record(treated="2026-03-01T00:00:00"))
    (page,) = _pages(desk)
    assert (page["status"], page["closed_at"]) == ("open", None)
    assert page["slug"] == "atelier-000000001-bordeaux-00000000100001"
    assert _avis(desk)["outcome"] == "accepted"


def test_a_pending_avis_is_cancelled_with_its_page_and_due_again_with_it(
    desk: Any, records: Any
) -> None:
    desk.import_(records.record())
    desk.execute("""
        UPDATE avis SET published_at = now(), claim_token = gen_random_uuid(), lease_until = now()
    """)
    desk.import_(records.record(etat="F", treated="2026-02-01T00:00:00"))
    avis = _avis(desk)
    assert (avis["outcome"], avis["claim_token"]) == ("cancelled", None)
    desk.import_(records.record(treated="2026-03-01T00:00:00"))
    avis = _avis(desk)
    assert (avis["outcome"], avis["published_at"]) == ("pending", None)


def test_changed_facts_make_a_text_due_again_and_unchanged_ones_do_not(
    desk: Any, records: Any
) -> None:
    desk.import_(records.record())
    _accept(desk)
    accepted = _avis(desk)
    street = records.record(treated="2026-02-01T00:00:00")
    street["adresseEtablissement"]["libelleVoieEtablissement"] = "AUTRE RUE"
    assert desk.import_(street).updated == 1
    assert _avis(desk) == accepted, "no fact of the text has changed"
    desk.import_(records.record(enseigne="NOUVEAU", treated="2026-03-01T00:00:00"))
    avis = _avis(desk)
    assert avis["outcome"] == "pending"
    assert avis["facts_hash"] != avis["accepted_facts_hash"]
    assert avis["text"] == "Un texte.", "the old text stays until the new one is accepted"
    desk.import_(records.record(treated="2026-04-01T00:00:00"))
    assert _avis(desk)["outcome"] == "accepted", "the facts are those of the text again"


def test_new_facts_take_a_claim_away(desk: Any, records: Any) -> None:
    desk.import_(records.record())
    desk.execute("""
        UPDATE avis SET published_at = now(), claim_token = gen_random_uuid(), lease_until = now()
    """)
    desk.import_(records.record(enseigne="NOUVEAU", treated="2026-03-01T00:00:00"))
    avis = _avis(desk)
    assert (avis["outcome"], avis["published_at"], avis["claim_token"]) == ("pending", None, None)


@pytest.mark.parametrize("outcome", ["rejected", "no_reviews"])
def test_the_same_facts_do_not_make_a_settled_avis_due(
    desk: Any, records: Any, outcome: str
) -> None:
    desk.import_(records.record())
    desk.execute("UPDATE avis SET outcome = :outcome", outcome=outcome)
    desk.import_(records.record(treated="2026-03-01T00:00:00"))
    assert _avis(desk)["outcome"] == outcome


@pytest.mark.parametrize(
    ("sole_traders", "outcome"), [(False, "skipped_sole_trader"), (True, "pending")]
)
def test_sole_traders_are_due_only_where_the_operator_says_so(
    desk: Any, records: Any, *, sole_traders: bool, outcome: str
) -> None:
    trader = records.record(unite={"categorieJuridiqueUniteLegale": "1000"})
    desk.import_(trader, sole_traders=sole_traders)
    assert _avis(desk)["outcome"] == outcome


def test_an_opposed_unit_leaves_nothing_personal(desk: Any, records: Any) -> None:
    desk.execute("INSERT INTO oppositions (siren, reason) VALUES ('000000001', 'asked')")
    record = records.record(1, enseigne="CHEZ JEANNE")
    desk.import_(record)
    assert _avis(desk)["outcome"] == "skipped_opposition"
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
    assert _avis(desk)["outcome"] == "pending"


def _clear_values(desk: Any, *words: str) -> list[str]:
    """Tables in which one of the words is still to be read."""
    tables = (
        "unites_legales",
        "etablissements",
        "pro_localisations",
        "avis",
        "avis_attempts",
        "failed_items",
        "erasures",
    )
    found = []
    for table in tables:
        rows = desk.execute(f"SELECT {table}::text AS line FROM {table}")  # noqa: S608  names above
        if any(word in row["line"] for row in rows for word in words):
            found.append(table)
    return found


def test_a_unit_that_turns_partial_is_erased_everywhere(desk: Any, records: Any) -> None:
    siren = "000000007"
    first = records.record(1, siren=siren, unite={"denominationUniteLegale": "ZORGLUB"})
    second = records.record(2, siren=siren, unite={"denominationUniteLegale": "ZORGLUB"})
    moved = records.record(
        2,
        siren=siren,
        treated="2026-01-02T00:00:00",
        activite="56.10A",
        unite={"denominationUniteLegale": "ZORGLUB"},
    )
    bystander = records.record(3)
    desk.import_(first, second, bystander)
    _accept(desk, "Zorglub est une boulangerie.")
    desk.import_(moved)
    desk.execute(
        """
        INSERT INTO failed_items (kind, key, siren, payload, code, message)
        VALUES ('write', 'k', :siren, 'ZORGLUB', 'c', 'm')
        """,
        siren=siren,
    )
    assert _clear_values(desk, "ZORGLUB", "zorglub", "Zorglub")
    partial = records.record(
        1,
        siren=siren,
        treated="2026-02-01T00:00:00",
        unite={"denominationUniteLegale": "[ND]", "statutDiffusionUniteLegale": "P"},
    )
    desk.import_(partial)
    assert _clear_values(desk, "ZORGLUB", "zorglub", "\\x5a4f52474c5542") == []
    mine = desk.execute("SELECT * FROM avis WHERE siren = :siren", siren=siren)
    assert len(mine) == 3
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
    desk: Any, records: Any
) -> None:
    siren = "000000007"
    desk.import_(records.record(1, siren=siren), records.record(2, siren=siren))
    _accept(desk)
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
    desk: Any, records: Any, categorie: str, denomination: str | None
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
    assert _avis(desk)["outcome"] == "skipped_non_diffusible"
    desk.import_(records.record(treated="2026-03-01T00:00:00"))
    assert _avis(desk)["outcome"] == "pending", "a newer record of INSEE is open to all again"


def test_a_unit_that_is_open_again_is_due_again(desk: Any, records: Any) -> None:
    desk.import_(records.record(statut="P"))
    assert _avis(desk)["outcome"] == "skipped_non_diffusible"
    desk.import_(records.record(statut="O", treated="2026-02-01T00:00:00"))
    assert _avis(desk)["outcome"] == "pending"


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
def test_an_unchanged_record_is_hidden_where_a_clear_row_should_not_be(
    desk: Any, records: Any, hiding: str
) -> None:
    """As a restored backup has it, or a writer that did not see the opposition yet."""
    person = {"denominationUniteLegale": "ZORGLUB", "categorieJuridiqueUniteLegale": "1000"}
    record = records.record(1, unite=person)
    desk.import_(record)
    assert _clear_values(desk, "ZORGLUB", "zorglub") == ["unites_legales", "pro_localisations"]
    desk.execute(hiding)
    desk.import_(record)
    assert _clear_values(desk, "ZORGLUB", "zorglub") == []
    desk.import_(record)
    assert desk.number("pro_localisations") == 1


def test_a_unit_that_comes_after_its_establishments_opens_their_pages(
    desk: Any, records: Any
) -> None:
    siren = "000000007"
    desk.import_(records.record(1, siren=siren), records.record(2, siren=siren))
    desk.execute("TRUNCATE unites_legales, pro_localisations, avis")
    desk.import_(records.record(1, siren=siren))
    assert len(_pages(desk)) == 2
