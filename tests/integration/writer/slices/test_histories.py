"""The same records end in the same rows, in whatever order and however often they are delivered.

INSEE's states of a unit and its establishment follow each other; each is seen by one GET or more.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.days import FRANCE
from shared.sirene.versions import Version
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Record, Records

ON_TWO_SHARDS = True

_SIREN = "000000018"
# The GETs begin an hour before the one that comes twice.
_FIRST_GET = dt.datetime(2026, 10, 24, 23, 10, tzinfo=dt.UTC)
_STEPS = (dt.timedelta(minutes=25), dt.timedelta(days=1))
# An establishment may be emptied when in doubt, where its unit alone changes: ADR 23.
_TABLES = (
    "unites_legales",
    "etablissements",
    "periodes_etablissements",
    "pro_localisations",
    "avis",
)
_DATES = ("true", "none", "1900", "2099", "same", "earlier", "tomorrow")


@dataclass(frozen=True)
class State:
    """INSEE shows this of a number for some time; no two states are alike."""

    number: int
    statut_diffusion: str
    date_dernier_traitement: dt.datetime | None


@dataclass(frozen=True)
class Seen:
    unite: State
    etablissement: State
    fetched_at: dt.datetime


Draws = list[tuple[str, str, str, int, dt.timedelta]]
_DRAWS = st.lists(
    st.tuples(
        st.sampled_from("OP"),
        st.sampled_from("OP"),
        st.sampled_from(_DATES),
        st.integers(1, 2),
        st.sampled_from(_STEPS),
    ),
    min_size=2,
    max_size=5,
)


def _treated(kind: str, seen_at: dt.datetime, before: dt.datetime | None) -> dt.datetime | None:
    now = seen_at.astimezone(FRANCE).replace(tzinfo=None) - dt.timedelta(minutes=10)
    last = before or now
    return {
        "true": now,
        "none": None,
        "1900": dt.datetime(1900, 1, 1),  # noqa: DTZ001  as INSEE's own
        "2099": dt.datetime(2099, 1, 1),  # noqa: DTZ001
        "same": last,
        "earlier": last - dt.timedelta(days=1),
        "tomorrow": now + dt.timedelta(days=1),
    }[kind]


def _history(draws: Draws, *, of_unite: bool, of_etablissement: bool) -> list[Seen]:
    """Return the GETs of the states; a number of which nothing is drawn keeps its first state."""
    seen: list[Seen] = []
    at, treated = _FIRST_GET, None
    first = State(0, "O", dt.datetime(2026, 1, 1))  # noqa: DTZ001
    for number, (unite, etablissement, kind, gets, step) in enumerate(draws):
        treated = _treated(kind, at, treated)
        states = (
            State(number, unite, treated) if of_unite else first,
            State(number, etablissement, treated) if of_etablissement else first,
        )
        for _ in range(gets):
            seen.append(Seen(*states, at))
            at += step
    return seen


def _record(records: Records, seen: Seen) -> Record:
    unite, etablissement = seen.unite, seen.etablissement
    record = records.record(
        1,
        siren=_SIREN,
        statut=etablissement.statut_diffusion,
        enseigne=_told(etablissement, "SIGN"),
        treated=_sent(etablissement),
        unite={
            "categorieJuridiqueUniteLegale": "1000",
            "denominationUniteLegale": None,
            "nomUniteLegale": _told(unite, "NOM"),
            "statutDiffusionUniteLegale": unite.statut_diffusion,
            "anneeEffectifsUniteLegale": str(2000 + unite.number),
            "dateDernierTraitementUniteLegale": _sent(unite),
        },
    )
    record["anneeEffectifsEtablissement"] = str(2000 + etablissement.number)
    record["adresseEtablissement"]["libelleVoieEtablissement"] = _told(etablissement, "VOIE")
    return record


def _told(state: State, what: str) -> str:
    return "[ND]" if state.statut_diffusion == "P" else f"{what} {state.number}"


def _sent(state: State) -> str | None:
    treated = state.date_dernier_traitement
    return None if treated is None else treated.isoformat(timespec="milliseconds")


def _deliver(desk: Desk, records: Records, order: Sequence[Seen]) -> None:
    desk.execute(
        "TRUNCATE etablissements, periodes_etablissements, unites_legales, erasures,"
        " pro_localisations, avis"
    )
    for seen in order:
        desk.import_(_record(records, seen), fetched_at=seen.fetched_at, sole_traders=True)


def _stored(desk: Desk, concerned: str) -> dict[str, list[dict[str, Any]]]:
    own = {"id", "updated_at", "opened_at", "closed_at", "pro_localisation_id", "created_at"}
    return {
        table: [
            {name: value for name, value in row.items() if name not in own}
            for row in desk.execute(f"SELECT * FROM {table}")
        ]
        for table in (_TABLES[:1] if concerned == "unite" else _TABLES)
    }


def _shown(states: Sequence[tuple[State, dt.datetime]]) -> State | None:
    """Return the state that is to be shown: the one of the highest version, where no P hides it."""
    newest, first_seen = max(states, key=lambda each: Version.of(*each))
    seen_first = min(at for state, at in states if state == newest)
    shown = Version.of(newest, first_seen)
    shown = Version(shown.effective, shown.partial, seen_first)
    hidden = shown.partial or any(Version.of(*each).hides(shown) for each in states)
    return None if hidden else newest


_SETTINGS = settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("concerned", ["both", "etablissement", "unite"])
@_SETTINGS
@given(draws=_DRAWS, data=st.data())
def test_every_order_of_a_history_ends_in_the_same_rows(
    desk: Desk, records: Records, draws: Draws, data: st.DataObject, concerned: str
) -> None:
    if concerned == "both":
        draws = [(one, one, kind, gets, step) for one, _, kind, gets, step in draws]
    history = _history(
        draws, of_unite=concerned != "etablissement", of_etablissement=concerned != "unite"
    )
    _deliver(desk, records, history)
    expected = _stored(desk, concerned)
    again = data.draw(st.lists(st.sampled_from(history), max_size=3))
    _deliver(desk, records, data.draw(st.permutations([*history, *again])))
    assert _stored(desk, concerned) == expected
    if concerned != "etablissement":
        state = _shown([(seen.unite, seen.fetched_at) for seen in history])
        (unite,) = expected["unites_legales"]
        assert unite["nom"] == (None if state is None else f"NOM {state.number}")
    if concerned != "unite":
        state = _shown([(seen.etablissement, seen.fetched_at) for seen in history])
        (etablissement,) = expected["etablissements"]
        assert (etablissement["statut_diffusion"] == "O") == (state is not None)
