"""Model prose by an author who had read no rule: good texts, and faulty texts with their codes.

A hash splits each code into two files. A person may look at the learning half to mend rules; the
reserved half is only counted. Both are about the same invented establishments.
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.reviewer.commands.check import facts_from
from services.reviewer.validation import validate
from shared.sirene.facts import Facts

Half = Literal["learning", "reserved"]
HALVES: tuple[Half, Half] = ("learning", "reserved")

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Prose:
    """`code` is the fault in the text, None for a good text."""

    text: str
    facts: Facts
    code: str | None


@dataclass(frozen=True, slots=True)
class ProseScore:
    """The counts of a code's faulty texts: all, named by the code, refused by any code."""

    code: str
    count: int
    named: int
    refused: int


# A SIRET's date is told as that of the shop or club: refused on purpose since these were written.
_EXISTENCE_CLAIMS = (
    "HOTEL DE LA POSTE est un établissement d’hôtellerie",
    "LA CAVE A MANGER est un commerce de détail",
    "AVIRON CLUB est un club de sports",
    "CARRIERES DU SUD est un établissement de la société",
    "Aux Ponts-de-Cé, SUPER U relève de l’activité des supermarchés",
    "CAISSE LOCALE DE CREDIT est un établissement d’une société",
)


@functools.cache
def prose(half: Half) -> tuple[Prose, ...]:
    # Texts may hold other line separators: only "\n" ends a line.
    lines = (_HERE / f"model_prose_{half}.jsonl").read_text(encoding="utf-8").strip().split("\n")
    values = map(json.loads, lines)
    return tuple(
        Prose(value["text"], facts_from(value["facts"]), next(iter(value["codes"]), None))
        for value in values
    )


def prose_scores(half: Half) -> list[ProseScore]:
    scores = []
    for code in sorted({one.code for one in prose(half) if one.code is not None}):
        verdicts = [
            validate(one.text, one.facts).reasons for one in prose(half) if one.code == code
        ]
        named = sum(1 for reasons in verdicts if code in reasons)
        scores.append(ProseScore(code, len(verdicts), named, sum(map(bool, verdicts))))
    return scores


def refused_prose(half: Half) -> dict[str, tuple[str, ...]]:
    """Return the good texts that are refused, with the reasons."""
    good = (
        one
        for one in prose(half)
        if one.code is None and not one.text.startswith(_EXISTENCE_CLAIMS)
    )
    return {one.text: reasons for one in good if (reasons := validate(one.text, one.facts).reasons)}
