"""The label that goes with every text, and what it says about who wrote it."""

import datetime as dt

from services.reviewer.french.grammar import MOIS, date_en_lettres
from shared.days import FRANCE


def label(*, generated_at: dt.datetime, fetched_at: dt.datetime, ai: bool) -> str:
    """`fetched_at`, when the register was asked, gives the month of the state that is named."""
    written = "rédigée par IA" if ai else "générée automatiquement"
    state = day_in_france(fetched_at)
    return (
        f"Notice {written} le {date_en_lettres(day_in_france(generated_at))} à partir du "
        f"répertoire Sirene (Insee, {MOIS[state.month - 1]} {state.year}). "
        "Ce n’est pas un avis de consommateur."
    )


def day_in_france(moment: dt.datetime) -> dt.date:
    """The date that a reader in mainland France has on the calendar at this moment."""
    return moment.astimezone(FRANCE).date()
