"""The template: a notice from sentences with slots, chosen by what there is to say and by a seed.

A name never meets the choice of a sentence: slots are filled in one pass, so that a name made of
other slots stays a name.
"""

from dataclasses import dataclass

from services.reviewer.notices.draws import Draws
from services.reviewer.notices.matters import LEAST_FACTS, facts_added, matters_of
from services.reviewer.notices.outline import opening_of, outline, short_line
from services.reviewer.notices.prose import write
from services.reviewer.notices.values import values_of
from shared.sirene.facts import Facts

MODEL = "template"
PROMPT_VERSION = "template-5"
DIGITAL_SOURCE_TYPE = "algorithmicMedia"


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedText:
    """`digital_source_type` is IPTC's term for the text's origin, as the AI Act's marking asks."""

    text: str
    model: str
    prompt_version: str
    digital_source_type: str


def generate(facts: Facts, year: int, *, variant_seed: str | None = None) -> GeneratedText:
    """Write the text of this year; the same facts, seed (by default the SIRET) and year repeat it.

    The year decides which figures are too old to be told.
    """
    draws = Draws(facts.siret if variant_seed is None else variant_seed)
    values = values_of(facts, year=year, draws=draws)
    matters = matters_of(facts, year=year)
    if facts_added(facts, matters) < LEAST_FACTS:
        sections = [short_line(values)]
    else:
        sections = [opening_of(facts), *outline(matters, draws)]
    return GeneratedText(
        text=write(sections, values, draws),
        model=MODEL,
        prompt_version=PROMPT_VERSION,
        digital_source_type=DIGITAL_SOURCE_TYPE,
    )
