"""Keys and codes that this release does not know are noted once, in few signs, and fail nothing."""

from concurrent.futures import ThreadPoolExecutor

from structlog.testing import capture_logs

from services.writer.learned_codes import renew_learned
from services.writer.slices.drift import Drift
from tests.integration.writer.desk import Desk
from tests.integration.writer.page_rows import accept, avis_of
from tests.integration.writer.records import Records

_KEYS = {"unite.nouvelleCle"}
_CODES = frozenset({("code_commune", "33998"), ("etat_administratif", "DUPONT Marie, 5 rue X")})


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


def test_keys_and_codes_are_noted_with_the_rows_that_have_them(
    desk: Desk, records: Records
) -> None:
    """A writer that is killed after its commit has noted them."""
    record = records.record(1, activite="99.99X")
    record["uniteLegale"]["nouvelleCle"] = "1"
    desk.import_(record)
    assert _noted(desk) == [("activite_principale", "99.99X")]
    row = desk.one("SELECT key, batch_id FROM schema_drift")
    assert row == {
        "key": "unite.nouvelleCle",
        "batch_id": desk.one("SELECT id FROM import_batches")["id"],
    }


def test_what_is_rolled_back_is_noted_with_the_next_delivery(desk: Desk) -> None:
    drift = Drift()
    with desk.engine.connect() as connection:
        drift.note(connection, keys=_KEYS, codes=_CODES)
        connection.rollback()
    assert _noted(desk) == []
    with desk.engine.begin() as connection:
        drift.note(connection, keys=_KEYS, codes=_CODES)
    assert _noted(desk) == [("code_commune", "33998"), ("etat_administratif", "(no code)")]
    assert desk.number("schema_drift") == 1


def test_each_is_logged_once_and_what_is_no_code_is_not_shown(desk: Desk) -> None:
    drift = Drift()
    with capture_logs() as logs:
        for _ in range(2):
            with desk.engine.begin() as connection:
                drift.note(connection, keys=_KEYS, codes=_CODES)
            drift.remember(keys=_KEYS, codes=_CODES)
    assert [(each["field"], each.get("code")) for each in logs] == [
        ("code_commune", "33998"),
        ("etat_administratif", "(no code)"),
        ("unite.nouvelleCle", None),
    ]


def test_what_is_remembered_costs_no_statement(desk: Desk) -> None:
    drift = Drift()
    drift.remember(keys=_KEYS, codes=_CODES)
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        drift.note(connection, keys=_KEYS, codes=_CODES)
        drift.note(connection)


def test_replicas_that_see_a_key_at_once_agree(desk: Desk) -> None:
    keys = {f"unite.cle{number}" for number in range(50)}

    def note(number: int) -> None:
        with desk.engine.begin() as connection:
            Drift().note(connection, keys=keys, codes=_CODES, batch_id=number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(note, range(4)))
    assert (desk.number("schema_drift"), desk.number("unknown_codes")) == (50, 2)


def test_what_is_without_end_fills_neither_table_nor_log(desk: Desk) -> None:
    drift = Drift()
    keys = {f"unite.{number}" for number in range(1500)}
    codes = frozenset(("code_commune", f"{n:05d}") for n in range(1500))
    for of_keys, of_codes in ((keys, frozenset()), ({"unite.more"}, codes)):
        for each in (drift, Drift()):
            with capture_logs() as logs, desk.engine.begin() as connection:
                each.note(connection, keys=of_keys, codes=of_codes)
                each.remember(keys=of_keys, codes=of_codes)
            assert len(logs) <= 1000
    assert (desk.number("schema_drift"), desk.number("unknown_codes")) == (1000, 1000)


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
