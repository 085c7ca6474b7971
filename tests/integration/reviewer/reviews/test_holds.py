"""Syntheses that are held for a person: an accusation left out, a review that nobody read."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Engine

from services.reviewer.actors import ShardReviewer
from services.reviewer.contexts.reader import ContextReader
from services.reviewer.editors.orders import Editor
from services.reviewer.texts.holds import HoldRules
from services.reviewer.validation import validate
from shared.avis import OrderVerb, TextOrder
from shared.clock import Clock
from shared.texts.orders import place_order
from tests.integration.reviewer.conftest import Register
from tests.integration.reviewer.reviews.conftest import (
    REVIEW,
    SIRET,
    Reviews,
    places_of,
    review,
    synthese,
)


def test_a_review_that_cannot_be_quoted_is_counted(
    register: Register, reviews: Reviews, reviewer: ShardReviewer, engine: Engine
) -> None:
    register.add(range(1, 2))
    insulting = review(2, verbatim="Ce sont des voleurs, demandez à Julie Morel.")
    reviews.import_(insulting)
    reviewer.work([synthese(register)["id"]])
    assert (synthese(register)["outcome"], synthese(register)["text"]) == ("no_reviews", None)
    reviews.import_(REVIEW)
    reviewer.work([synthese(register)["id"]])
    row = synthese(register)
    assert row["outcome"] == "accepted"
    assert row["text"].startswith("2 avis")
    assert row["held_because"] == "accusation", "a person sees what was left out"
    assert "un seul est cité en entier" in row["label"]
    assert places_of("voleurs", engine) == {"sources"}


def test_a_synthese_waits_until_an_editor_has_read_each_review_that_it_quotes_once(
    register: Register, reviews: Reviews, reviewer: ShardReviewer, engine: Engine, clock: Clock
) -> None:
    register.add(range(1, 2))
    holding = replace(reviewer, hold_rules=HoldRules(syntheses=True))
    contexts = ContextReader(engine, [engine], clock)
    editor = Editor(engine, validate, clock, contexts, sole_traders=False)

    def renewed(*lines: dict[str, Any]) -> str | None:
        """Import, write the synthese anew, have it released; return why it was held."""
        assert reviews.import_(*lines).returncode == 0
        holding.work([synthese(register)["id"]])
        held: str | None = synthese(register)["held_because"]
        if held is not None:
            order = TextOrder(
                siret=SIRET,
                kind="synthese",
                verb=OrderVerb.RELEASE,
                ordered_by="Ada",
                reason="read",
            )
            with engine.begin() as connection:
                place_order(connection, order)
            editor.step()
        assert synthese(register)["held_because"] is None
        return held

    assert renewed(REVIEW) == "quotation"
    other_terms = REVIEW | {"retention_days": 400}
    assert renewed(other_terms) is None, "it was read"
    assert renewed(other_terms, review(2)) == "quotation"
    updated = review(2, verbatim="Un peu cher.", updated_on="2026-04-01")
    assert renewed(updated) == "quotation", "these words nobody has read"
    register.execute("UPDATE avis SET outcome = 'pending', accepted_facts_hash = 'other'")
    holding.work([synthese(register)["id"]])
    assert synthese(register)["held_because"] is None
