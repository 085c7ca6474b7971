"""A delta brings what the database has been asked to hold, from the first import on."""

import pytest
from sqlalchemy import text

from services.fetcher.lookups import AbsenceWatch
from shared.imports.held import count_outside, in_words, read_held
from shared.imports.leavers import LEAVERS, read_leavers
from shared.imports.scope import Scope
from tests.integration.fetcher.conftest import MakeFetcher, StartInsee
from tests.integration.fetcher.register_copy import FIRST_DAY, NEXT_DAY, Copy, both, end_of

LATE = "2026-08-05T21:00:00.000"
DEPARTEMENTS = "SELECT DISTINCT departement FROM etablissements ORDER BY 1"


@pytest.fixture
def copy(start_insee: StartInsee, make_fetcher: MakeFetcher) -> Copy:
    insee = start_insee(establishments=400, departements=("33", "24", "75"))
    return Copy(insee, make_fetcher(insee))


def held(copy: Copy) -> str:
    with copy.fetcher.engine.connect() as connection:
        return in_words(read_held(connection))


def import_(copy: Copy, *scopes: Scope) -> None:
    for scope in scopes:
        copy.fetcher.order(scope)
    copy.work_off()


def test_the_delta_after_an_import_of_one_departement_stays_in_it(copy: Copy) -> None:
    import_(copy, Scope(departements=["33"]))
    assert copy.watermarks() == both(FIRST_DAY)
    others = copy.insee.sirets("codeCommuneEtablissement:24*")
    [changed] = copy.some_sirets(1)
    for siret in (changed, min(others)):
        copy.insee.treat(siret, LATE, numeroVoieEtablissement="99")
    copy.insee.publish(day=NEXT_DAY)
    copy.delta()
    assert [row["departement"] for row in copy.rows(DEPARTEMENTS)] == ["33"]
    assert copy.one("SELECT siret FROM etablissements WHERE numero_voie = '99'") == changed
    assert copy.watermarks() == both(end_of(NEXT_DAY))

    copy.insee.publish(day="2026-08-07")
    copy.delta(everything=True)
    assert "24" in {row["departement"] for row in copy.rows(DEPARTEMENTS)}


def test_a_later_import_moves_no_watermark_and_is_in_the_next_delta(copy: Copy) -> None:
    import_(copy, Scope(departements=["33"]))
    copy.insee.publish(day=NEXT_DAY)
    import_(copy, Scope(departements=["24"]))
    assert copy.watermarks() == both(FIRST_DAY)
    assert held(copy) == "33, 24"
    changed = min(copy.insee.sirets("codeCommuneEtablissement:24*"))
    copy.insee.treat(changed, "2026-08-06T21:00:00.000", numeroVoieEtablissement="99")
    copy.insee.publish(day="2026-08-07")
    copy.delta()
    assert copy.one("SELECT siret FROM etablissements WHERE numero_voie = '99'") == changed


def test_first_imports_side_by_side_set_the_earliest_of_their_dates(copy: Copy) -> None:
    copy.fetcher.order(Scope(departements=["33"]))
    copy.fetcher.planner.turn()
    copy.insee.publish(day=NEXT_DAY)
    import_(copy, Scope(departements=["24"]))
    assert copy.watermarks() == both(FIRST_DAY)


def test_an_import_after_one_of_which_nobody_knows_the_date_sets_no_watermark(copy: Copy) -> None:
    import_(copy, Scope(departements=["33"]))
    copy.rows("DELETE FROM treatment_windows")
    copy.rows("DELETE FROM watermarks")
    import_(copy, Scope(departements=["24"]))
    assert copy.watermarks() == {}


def test_what_closes_in_a_scope_of_open_ones_is_closed_and_told(copy: Copy) -> None:
    scope = Scope(departements=["33"], etat_administratif="A")
    import_(copy, scope)
    [siret] = copy.some_sirets(1)
    copy.insee.treat(siret, LATE, etatAdministratifEtablissement="F")
    copy.insee.publish(day=NEXT_DAY)
    run_id = copy.delta(overlap_hours=0)
    state = "SELECT etat_administratif FROM etablissements WHERE siret = :siret"
    assert copy.one(state, siret=siret) == "F"
    with copy.fetcher.engine.connect() as connection:
        assert count_outside(connection, run_id, [scope]) == 1
        assert count_outside(connection, run_id, [Scope(departements=["33"])]) == 0


@pytest.mark.parametrize(
    ("today", "newest", "left"), [("A", "F", 0), (None, "A", 0), ("F", "F", 1)]
)
def test_what_lies_ahead_has_not_left_yet_and_what_begins_later_is_no_leaver(
    copy: Copy, today: str | None, newest: str, left: int
) -> None:
    scope = Scope(departements=["33"], etat_administratif="A")
    import_(copy, scope)
    [siret] = copy.some_sirets(1)
    copy.insee.treat(siret, LATE, numeroVoieEtablissement="99")
    copy.insee.publish(day=NEXT_DAY)
    run_id = copy.delta(overlap_hours=0)
    copy.rows(
        "UPDATE etablissements SET etat_administratif = :today WHERE siret = :siret",
        today=today, siret=siret,
    )  # fmt: skip
    copy.rows(
        """UPDATE periodes_etablissements p SET etat_administratif = :newest WHERE siret = :siret
           AND rang = (SELECT max(rang) FROM periodes_etablissements WHERE siret = :siret)""",
        newest=newest, siret=siret,
    )  # fmt: skip
    copy.rows("INSERT INTO turns (siret, day) VALUES (:siret, '2027-01-15')", siret=siret)
    with copy.fetcher.engine.connect() as connection:
        assert count_outside(connection, run_id, [scope]) == left


def test_what_moves_out_of_the_scope_is_told_and_still_brought_up_to_date(copy: Copy) -> None:
    scope = Scope(departements=["33"])
    import_(copy, scope)
    [siret] = copy.some_sirets(1)
    commune = "SELECT code_commune FROM etablissements WHERE siret = :siret"
    number = "SELECT numero_voie FROM etablissements WHERE siret = :siret"
    copy.insee.treat(siret, LATE, codeCommuneEtablissement="24322")
    copy.insee.publish(day=NEXT_DAY)
    copy.delta()
    assert copy.one(commune, siret=siret) != "24322", "no window of the scope lists it"
    assert copy.surplus(scope) == [siret]
    AbsenceWatch(copy.fetcher.engine, copy.fetcher.walker.sender, 10).turn()
    copy.work_off()
    assert copy.one(commune, siret=siret) == "24322"
    assert copy.rows("SELECT FROM absences") == []
    assert copy.surplus(scope) == []

    copy.insee.treat(siret, "2026-08-06T21:00:00.000", numeroVoieEtablissement="99")
    copy.insee.publish(day="2026-08-07")
    run_id = copy.delta()
    assert copy.one(number, siret=siret) == "99"
    assert copy.watermarks() == both(end_of("2026-08-07"))
    with copy.fetcher.engine.connect() as connection:
        assert count_outside(connection, run_id, [scope]) == 1


def test_what_no_window_lists_is_known_by_place_and_activity(copy: Copy) -> None:
    import_(copy, Scope(departements=["33"]))
    with copy.fetcher.engine.begin() as connection:
        assert read_leavers(connection, [Scope(departements=["33"])]) == []
        every = read_leavers(connection, [Scope(departements=["24"])])
        assert every == [
            row["siret"] for row in copy.rows("SELECT siret FROM etablissements ORDER BY 1")
        ]
    activite = copy.one(
        "SELECT activite_principale FROM etablissements WHERE siret = :s", s=every[0]
    )
    for scope in (
        Scope(departements=["33"], activites=[activite]),
        Scope(siret_to=every[0]),
    ):
        with copy.fetcher.engine.begin() as connection:
            left = read_leavers(connection, [scope])
        assert every[0] not in left
        assert left


def test_what_has_no_commune_is_listed_by_no_place(copy: Copy) -> None:
    import_(copy, Scope(departements=["33"]))
    [siret] = copy.some_sirets(1)
    forget = "UPDATE etablissements SET code_commune = NULL, {} WHERE siret = :siret"
    scope = Scope(departements=["33"])
    copy.rows(forget.format("libelle_commune = NULL"), siret=siret)
    with copy.fetcher.engine.begin() as connection:
        assert read_leavers(connection, [scope]) == []
    copy.rows(forget.format("departement = NULL"), siret=siret)
    with copy.fetcher.engine.begin() as connection:
        assert read_leavers(connection, [scope]) == [siret]


def test_leavers_are_found_by_the_index_of_communes(copy: Copy) -> None:
    """Reading all rows of the scopes would cost each delta minutes in a large register."""
    import_(copy, Scope(departements=["33"]))
    with copy.fetcher.engine.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        values = {"departements": ["33"], "communes": [], "narrowed": "[]", "most": 2001}
        plan = "\n".join(connection.execute(text(f"EXPLAIN {LEAVERS.text}"), values).scalars())
    assert plan.count("ix_etablissements_code_commune") >= 4
    assert "pk_etablissements on etablissements" not in plan
    assert "Seq Scan on etablissements" not in plan


def test_a_comparison_of_a_stock_file_holds_nothing(copy: Copy) -> None:
    import_(copy, Scope(departements=["33"]))
    copy.rows("""
        INSERT INTO stock_loads (collection, file_name, file_identity, file_date, fetched_at,
          chunk_rows, way, status)
        VALUES ('unites_legales', 'august.csv', '1 1', '2026-08-01', '2026-08-01', 50, 'compare',
          'compared')
    """)
    assert held(copy) == "33"


def test_the_whole_register_is_held_where_it_was_ordered_or_nothing_was(copy: Copy) -> None:
    assert held(copy) == "all of France"
    copy.fetcher.order(Scope(communes=["33063"], activites=["10.71C"], etat_administratif="A"))
    copy.fetcher.order(Scope(), row_limit=10)
    copy.fetcher.order(Scope(sirets=["30000000000012"]))
    assert held(copy) == "33063 with 10.71C open"
    copy.fetcher.order(Scope())
    assert held(copy) == "all of France"
