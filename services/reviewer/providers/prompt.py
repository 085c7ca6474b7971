"""The prompt of a model: instructions from a file, and facts without names as JSON. Pure."""

import functools
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template

from services.reviewer.notices.examples import examples
from services.reviewer.providers.bill import Messages
from services.reviewer.providers.fact_sheet import facts_json
from shared.sirene.facts import Facts
from shared.texts.remedies import remedies, remedies_file

NOTICE = "notice-3"

# Neighbours of one trade differ in their slots only: the order of their sentences varies.
_ORDERS = (
    "commence par le nom",
    "commence par la commune",
    "commence par l’activité",
    "commence par la création ou la forme juridique",
    "place l’activité dans la première phrase et la commune dans la deuxième",
    "réunis la forme juridique et la commune dans la première phrase",
)
_UNGROUNDED = "ungrounded_terms"
_QUOTES = ": "


@dataclass(frozen=True)
class Prompt:
    """`version` is the file's name with a digest of its content: each edit changes it."""

    version: str
    template: Template

    def messages(self, facts: Facts, *, json_wanted: bool, reasons: Sequence[str]) -> Messages:
        """Write the messages.

        `reasons` are the reproaches to earlier texts, as `reproaches` makes them; each is told
        once, in French and with its remedy. A provider that was away says nothing of a text, and
        is left out.
        """
        context = self.template.new_context(
            {
                "faits": facts_json(facts),
                "exemples": list(_examples(facts, json_wanted=json_wanted)),
                "json": json_wanted,
                "motifs": list(_remedies(reasons)),
                "ordre": _order(facts.siret),
            }
        )
        return [
            {"role": role, "content": "".join(self.template.blocks[role](context)).strip()}
            for role in ("system", "user")
        ]


def _examples(facts: Facts, *, json_wanted: bool) -> Iterator[str]:
    """Yield sentences in the form of the answer."""
    for one in examples(facts):
        form = {"texte": one.text, "faits": one.names}
        yield json.dumps(form, ensure_ascii=False) if json_wanted else one.text


def reproaches(codes: Sequence[str], own_words: Sequence[str]) -> tuple[str, ...]:
    """Return the codes; the one of ungrounded words has the model's own, « code: mot, mot »."""
    if not own_words:
        return tuple(codes)
    quoted = f"{_UNGROUNDED}{_QUOTES}{', '.join(own_words)}"
    return tuple(quoted if code == _UNGROUNDED else code for code in codes)


def _remedies(reasons: Sequence[str]) -> Iterator[str]:
    words: dict[str, list[str]] = {}
    for reason in reasons:
        code, _, quoted = reason.partition(_QUOTES)
        words.setdefault(code, []).extend(filter(None, quoted.split(", ")))
    for code, own in words.items():
        remedy = remedies().get(code)
        if remedy is None:
            continue
        yield remedy
        if own:
            told = ", ".join(f"« {word} »" for word in dict.fromkeys(own))
            yield f"Ces mots n’étaient dans aucun fait, ne les emploie pas : {told}."


def _prompt_file(name: str) -> str:
    return (resources.files("services.reviewer.providers.prompts") / name).read_text("utf-8")


@functools.cache
def read_prompt(name: str = NOTICE) -> Prompt:
    source = _prompt_file(f"{name}.j2")
    content = (source + remedies_file()).encode()
    digest = hashlib.blake2b(content, digest_size=4).hexdigest()
    environment = Environment(
        autoescape=False,  # noqa: S701 a prompt is not HTML, and no fact in it comes from a stranger
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return Prompt(f"{name}-{digest}", environment.from_string(source))


def _order(siret: str) -> str:
    digest = hashlib.blake2b(siret.encode(), digest_size=2).digest()
    return _ORDERS[int.from_bytes(digest) % len(_ORDERS)]
