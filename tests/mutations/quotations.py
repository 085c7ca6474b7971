"""The bank of reviews by an author who had seen no rule, and how the rules of quoting score."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.reviewer.reviews.quotability import reasons_against_quoting
from shared.sirene.facts import Facts
from tests.unit.reviewer.reviews.reviews import FACTS, source

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Judged:
    """A review with its author's judgement and the rules' reasons."""

    id: str
    verbatim: str
    quotable: bool
    why: str
    reasons: tuple[str, ...]


def judged(bank: str) -> Iterator[Judged]:
    lines = (_HERE / f"{bank}.jsonl").read_text(encoding="utf-8").strip().split("\n")
    for value in map(json.loads, lines):
        facts = Facts(
            siret=FACTS.siret, siren=FACTS.siren, nom=value["firm"], activite=value["activite"]
        )
        said = {"verbatim": value["verbatim"], "author_label": value["author"]}
        review = source().model_copy(update=said)
        reasons = reasons_against_quoting(review, facts)
        yield Judged(value["id"], value["verbatim"], value["quotable"], value["why"], reasons)


def shares(bank: str) -> tuple[float, float]:
    """Return the shares of the unquotable that are caught, and of the quotable that are refused."""
    reviews = list(judged(bank))
    unquotable = [bool(one.reasons) for one in reviews if not one.quotable]
    quotable = [bool(one.reasons) for one in reviews if one.quotable]
    return sum(unquotable) / len(unquotable), sum(quotable) / len(quotable)
