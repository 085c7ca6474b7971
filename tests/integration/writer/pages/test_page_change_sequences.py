"""Any sequence of writes leaves in the log what the pages became."""

import datetime as dt
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.writer.erasure import oppositions
from services.writer.turns.turns import turn_next
from shared.imports.absences import record_absence, record_presence
from tests.integration.shown_pages import watched
from tests.integration.writer.desk import FETCHED_AT, Desk
from tests.integration.writer.records import Record, Records, close_ahead

ON_TWO_SHARDS = True

_SIREN = "000000001"
_PERSON = {"categorieJuridiqueUniteLegale": "1000", "nomUniteLegale": "ZORGLUB"}
_RECORD = st.fixed_dictionaries(
    {
        "number": st.integers(1, 5),
        "etat": st.sampled_from("AAF"),
        "statut": st.sampled_from("OOP"),
        "commune": st.sampled_from(["33063", "75108", None]),
        "activite": st.sampled_from(["10.71C", "68.20B", None]),
        "treated": st.sampled_from(
            ["2026-01-01T00:00:00", "2026-03-01T00:00:00", "2026-07-01T00:00:00", None]
        ),
        "enseigne": st.sampled_from(["NEUF", "VIEUX", None]),
        "street": st.sampled_from(["NEUVE", "VIEILLE"]),
        "person": st.sampled_from(["ZORGLUB", None]),
        "name": st.sampled_from(["UN", "DEUX"]),
        "masked": st.sampled_from("OOOP"),
        "ahead": st.booleans(),
    }
)
_STEP = st.one_of(
    st.tuples(st.just("import"), st.lists(_RECORD, min_size=1, max_size=6)),
    st.tuples(st.just("refresh"), st.lists(_RECORD, min_size=1, max_size=2)),
    st.tuples(st.sampled_from(["forget", "withdraw", "moved", "back"]), st.integers(1, 5)),
    st.tuples(st.sampled_from(["turn", "accept"]), st.none()),
)
_ACCEPT = """
    UPDATE avis SET outcome = 'accepted', accepted_facts_hash = facts_hash, text = 't', label = 'l',
      model = 'm', prompt_version = 'v', accepted_at = now(), display_name = 'n', json_ld = '{}'
    WHERE outcome = 'pending'
"""


def _record(records: Records, drawn: dict[str, Any]) -> Record:
    drawn = dict(drawn)
    unite = {"statutDiffusionUniteLegale": drawn.pop("masked")}
    person, name = drawn.pop("person"), drawn.pop("name")
    street, ahead = drawn.pop("street"), drawn.pop("ahead")
    siren = f"{drawn['number'] % 3 + 1:09d}"
    unite |= _PERSON | {"nomUniteLegale": person} if siren == _SIREN else {}
    unite["denominationUniteLegale"] = None if siren == _SIREN else name
    record = records.record(**drawn, siren=siren, unite=unite)
    record["adresseEtablissement"]["libelleVoieEtablissement"] = street
    if ahead:
        close_ahead(record)
    return record


def _do(desk: Desk, records: Records, step: tuple[str, Any], fetched_at: dt.datetime) -> None:
    kind, what = step
    if kind in {"import", "refresh"}:
        batch = desk.batch(departement=None)
        sent = [_record(records, drawn) for drawn in what]
        message = desk.message(sent, batch=batch, fetch_id=desk.fetch(batch), fetched_at=fetched_at)
        desk.write(replace(message, refresh=kind == "refresh"), sole_traders=True)
    if kind == "accept":
        desk.execute(_ACCEPT)
    for shard in desk.shards if kind == "turn" else ():
        turn_next(shard, on=dt.date(2027, 1, 1), sole_traders=True)
    if isinstance(what, int):
        siren = f"{what % 3 + 1:09d}"
        siret = f"{siren}{what:05d}"
        home = desk.home_of({"siret": siret})
        if kind == "forget":
            oppositions.forget(home, siren, reason="asked", force=True)
        if kind == "withdraw":
            oppositions.withdraw(home, siren)
        with home.begin() as connection:
            if kind == "moved":
                record_absence(connection, siret, "moved", target="00000000100009")
            if kind == "back":
                record_presence(connection, siret)


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(_STEP, min_size=2, max_size=8))
def test_any_sequence_of_writes_is_noted(
    desk: Desk, records: Records, steps: list[tuple[str, Any]]
) -> None:
    desk.execute(
        "TRUNCATE etablissements, periodes_etablissements, unites_legales, erasures, oppositions,"
        " turns, pro_localisations, page_redirects, avis, absences"
    )
    for number, step in enumerate(steps):
        with watched(*desk.shards):
            _do(desk, records, step, FETCHED_AT + dt.timedelta(hours=number))
