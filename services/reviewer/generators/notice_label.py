"""The label that goes with every text, and what it says about who wrote it."""

import datetime as dt

from services.reviewer.generators.french import date_en_lettres
from shared.days import FRANCE


def label(*, generated_on: dt.date, millesime: str, ai: bool) -> str:
    """`millesime` names the state of the register, such as "août 2026"."""
    written = "rédigée par IA" if ai else "générée automatiquement"
    return (
        f"Notice {written} le {date_en_lettres(generated_on)} à partir du répertoire Sirene "
        f"(Insee, {millesime}). Ce n’est pas un avis de consommateur."
    )


def day_in_france(moment: dt.datetime) -> dt.date:
    """The date that a reader in mainland France has on the calendar at this moment."""
    return moment.astimezone(FRANCE).date()
