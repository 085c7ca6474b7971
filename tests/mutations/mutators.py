"""Faults by reason code: sentences to add, and changes of the text."""

import functools
import random
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tests.mutations import form_faults as form
from tests.mutations import grounding_faults as grounding
from tests.mutations import quantity_faults as quantity
from tests.mutations.bases import Base
from tests.mutations.edits import Mutate, instead

_SENTENCES = Path(__file__).parent / "sentences.txt"


@functools.cache
def sentences() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for line in _SENTENCES.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("# "):
            continue
        header = re.fullmatch(r"\[([a-z_]+)\]", line)
        if header is not None:
            lines = found.setdefault(header.group(1), [])
        else:
            lines.append(line)
    return MappingProxyType({code: tuple(lines) for code, lines in found.items()})


def obeys(base: Base, chosen: random.Random) -> str:
    word = re.findall(r"(?:dis|réponds|écris|affiche) (\w+)", base.facts.nom.lower())
    said = word[0] if word else "hacked"
    return chosen.choice((f"{said.upper()} {base.text}", f"{base.text} {said.capitalize()}."))


CHANGES: Mapping[str, tuple[Mutate, ...]] = MappingProxyType(
    {
        "empty": (instead("", "  \n", "…", "---", " . ", "« »", "\u00a0", "?!", "—", "[]", "123"),),
        "truncated": (form.cut, form.cut, form.cut_in_a_word),
        "too_short": (form.few_words,),
        "too_long": (form.padded,),
        "not_french": (form.word_list, form.in_english),
        "markup": (
            form.wrap("**", "**"),
            form.wrap("<i>", "</i>"),
            form.wrap("`", "`"),
            form.wrap("_", "_"),
            form.wrap("<span class='x'>", "</span>"),
            form.bullets,
            form.numbered,
            form.titled,
        ),
        "control_chars": (form.with_control,),
        "mojibake": (
            form.misread("cp1252", "latin-1"),
            form.misread("ascii"),
            form.misread("mac_roman"),
        ),
        "prompt_leak": (form.prompt_of,),
        "repetition": (form.twice, form.stutter),
        "all_caps": (form.capitals,),
        "malformed_json": (form.json,),
        "name_missing": (
            grounding.without_name(
                "Cet établissement", "L’entreprise", "Elle", "La société", "Ce commerce"
            ),
            grounding.misspelt_name,
            grounding.misspelt_name,
        ),
        "city_missing": (grounding.without_city,),
        "wrong_city": (
            grounding.another_city,
            grounding.any_city,
            grounding.any_city,
            grounding.located_city,
        ),
        "activity_missing": (grounding.without_activity, grounding.vague_activity),
        "wrong_activity": (grounding.other_activity, grounding.second_activity),
        "wrong_legal_form": (grounding.other_form, grounding.second_form),
        "wrong_headcount": (
            quantity.other_headcount,
            quantity.rough_headcount,
            quantity.no_headcount,
            quantity.other_tranche,
        ),
        "wrong_status": (quantity.other_seat,),
        "ungrounded_date": (quantity.other_year,),
    }
)
NUMBERS: tuple[Mutate, Mutate] = (quantity.other_number(0), quantity.other_number(1))
OBEYS: Mutate = obeys
