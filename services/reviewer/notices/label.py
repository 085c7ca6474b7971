"""The label beside a notice: it says how the text was made, when, and from which data."""

import datetime as dt

from services.reviewer.french.grammar import MOIS, date_en_lettres
from shared.days import FRANCE


def label(*, generated_at: dt.datetime, fetched_at: dt.datetime, ai: bool) -> str:
    """Return the label; `fetched_at` gives the month of the register's state."""
    written = "rédigée par IA" if ai else "générée automatiquement"
    return _label(f"Notice {written}", generated_at, fetched_at)


def edited_label(*, edited_at: dt.datetime, fetched_at: dt.datetime, ai: bool) -> str:
    """Return the label of a text that a person edited; `ai`: a model wrote it before."""
    written = "rédigée par IA, puis modifiée par une personne" if ai else "rédigée par une personne"
    return _label(f"Notice {written}", edited_at, fetched_at)


def _label(beginning: str, written_at: dt.datetime, fetched_at: dt.datetime) -> str:
    state = day_in_france(fetched_at)
    return (
        f"{beginning} le {date_en_lettres(day_in_france(written_at))} à partir du "
        f"répertoire Sirene (Insee, {MOIS[state.month - 1]} {state.year}). "
        "Ce n’est pas un avis de consommateur."
    )


def day_in_france(moment: dt.datetime) -> dt.date:
    """Return the date in mainland France at this moment."""
    return moment.astimezone(FRANCE).date()
