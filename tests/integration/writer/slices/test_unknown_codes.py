"""Codes that no table knows are noted once, in few signs, and fail nothing."""

from structlog.testing import capture_logs

from services.writer.learned_codes import renew_learned
from services.writer.slices.unknown_codes import CodeDrift
from tests.integration.writer.desk import Desk
from tests.integration.writer.page_rows import accept, avis_of
from tests.integration.writer.records import Records


def _noted(desk: Desk) -> list[tuple[str, str]]:
    rows = desk.execute("SELECT field, code FROM unknown_codes ORDER BY field, code")
    return [(row["field"], row["code"]) for row in rows]


def test_each_unknown_code_of_an_open_establishment_is_found(desk: Desk, records: Records) -> None:
    result = desk.import_(
        records.record(1, activite="99.99X", unite={"categorieJuridiqueUniteLegale": "9998"}),
        records.record(2),
        records.record(3, activite="88.88X", etat="F"),
    )
    assert result.failed == 0
    assert result.unknown_codes == {
        ("activite_principale", "99.99X"),
        ("categorie_juridique", "9998"),
    }


def test_a_code_is_logged_once_and_what_is_no_code_is_not_shown(desk: Desk) -> None:
    codes = frozenset({("code_commune", "33998"), ("etat_administratif", "DUPONT Marie, 5 rue X")})
    first, second = CodeDrift(desk.engine), CodeDrift(desk.engine)
    with capture_logs() as logs:
        for drift in (first, first, second):
            drift.note(codes)
    assert [(each["field"], each["code"]) for each in logs] == [
        ("code_commune", "33998"),
        ("etat_administratif", "(no code)"),
    ]
    assert _noted(desk) == [("code_commune", "33998"), ("etat_administratif", "(no code)")]


def test_codes_without_end_do_not_fill_the_table(desk: Desk) -> None:
    CodeDrift(desk.engine).note(frozenset(("code_commune", f"{n:05d}") for n in range(1500)))
    CodeDrift(desk.engine).note(frozenset({("code_commune", "2A999")}))
    assert desk.number("unknown_codes") == 1000


def test_a_release_that_knows_a_code_renews_its_pages(desk: Desk, records: Records) -> None:
    desk.import_(records.record(1))
    accept(desk)
    # A release that did not know the code left these rows.
    desk.execute("UPDATE pro_localisations SET libelle_activite = NULL")
    desk.execute("UPDATE avis SET outcome = 'not_understood', facts_hash = repeat('0', 64)")
    desk.execute(
        "INSERT INTO unknown_codes (field, code) SELECT 'activite_principale',"
        " activite_principale FROM etablissements"
    )
    desk.execute("INSERT INTO unknown_codes (field, code) VALUES ('code_commune', '33998')")
    assert renew_learned(desk.engine, [desk.engine], sole_traders=False) == 1
    assert desk.one("SELECT libelle_activite IS NOT NULL AS told FROM pro_localisations")["told"]
    assert avis_of(desk)["outcome"] == "accepted"
    assert _noted(desk) == [("code_commune", "33998")]
    assert renew_learned(desk.engine, [desk.engine], sole_traders=False) == 0
