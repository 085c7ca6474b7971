"""The order of versions in SQL, as `shared/sirene/versions.py` has it in Python.

Each function takes names of rows that have `date_dernier_traitement`, `fetched_at` and, but for
tombstones, `statut_diffusion` and `buried`.
"""

from shared.days import TIME_ZONE

FIRST_PLAUSIBLE = "timestamp '1970-01-01'"


def _in_france(instant: str) -> str:
    return f"timezone('{TIME_ZONE}', {instant})"


def is_plausible(row: str, seen_at: str | None = None) -> str:
    """Return the condition that the date is one that INSEE can have meant.

    It is judged by the time of the row's own GET, or by `seen_at`, the time of another one.
    """
    date, seen = f"{row}.date_dernier_traitement", seen_at or f"{row}.fetched_at"
    return (
        f"({date} IS NOT NULL AND {date} >= {FIRST_PLAUSIBLE}"
        f" AND {date} < date_trunc('day', {_in_france(seen)}) + interval '2 days')"
    )


def _once(at: str) -> str:
    """Return the time; that of an hour that comes twice, in October, as the hour's beginning."""
    return (
        f"CASE WHEN extract(month FROM {at}) = 10 AND extract(hour FROM {at}) = 2"
        f" AND extract(isodow FROM {at}) = 7 AND extract(day FROM {at}) >= 25"
        f" THEN date_trunc('hour', {at}) ELSE {at} END"
    )


def effective(row: str) -> str:
    """Return INSEE's date where it is plausible, else the time of the GET in France."""
    return (
        f"(CASE WHEN {is_plausible(row)} THEN {_once(f'{row}.date_dernier_traitement')}"
        f" ELSE {_once(_in_france(f'{row}.fetched_at'))} END)"
    )


def is_partial(row: str) -> str:
    """Return the condition that the record was P; a buried row was O."""
    return f"({row}.statut_diffusion = 'P' AND {row}.buried IS NOT TRUE)"


def version(row: str) -> str:
    """Return what orders the versions of a key: the highest one is the row."""
    return f"({effective(row)}, {is_partial(row)}, {row}.fetched_at)"


def is_hidden_by(shown: str, partial: str) -> str:
    """Return the condition that a P, a row or a tombstone, hides an O: by its date or its GET.

    One that was seen later always hides, whatever its date.
    """
    return (
        f"({partial}.fetched_at > {shown}.fetched_at OR {effective(partial)} >= {effective(shown)})"
    )


def is_covered_by(partial: str, other: str) -> str:
    """Return the condition that the other P hides every O that this one hides."""
    return (
        f"({other}.fetched_at >= {partial}.fetched_at"
        f" AND {effective(other)} >= {effective(partial)})"
    )


def keeps_stamp(row: str, fetched_at: str) -> str:
    """Return the condition that the same content, seen at that time, leaves the row as it is.

    A row keeps the time of its first GET. One without a plausible date takes that of the last GET,
    which is its version.
    """
    now_plausible = is_plausible(row, fetched_at)
    return (
        f"(CASE WHEN {is_plausible(row)}"
        f" THEN {row}.fetched_at <= {fetched_at} OR NOT {now_plausible}"
        f" ELSE {row}.fetched_at >= {fetched_at} AND NOT {now_plausible} END)"
    )
