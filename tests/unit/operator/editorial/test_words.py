"""Editors read French, whatever a reviewer answers."""

import ast
import inspect

from services.operator.editorial.words import (
    HOLDS,
    OUTCOMES,
    STATUSES,
    VERBS,
    told_reasons,
    told_refusal,
)
from services.reviewer.editors import decisions
from services.reviewer.validation import RULES
from shared.avis import AvisOutcome, HoldReason, OrderStatus, OrderVerb
from shared.texts.remedies import fault_of


def refusals() -> set[str]:
    """Return the beginning of each refusal that the reviewer can give."""
    found = set[str]()
    for function in ast.walk(ast.parse(inspect.getsource(decisions))):
        if isinstance(function, ast.Return | ast.Call | ast.Assign | ast.IfExp):
            for node in ast.iter_child_nodes(function):
                literal = node.values[0] if isinstance(node, ast.JoinedStr) else node
                if isinstance(literal, ast.Constant) and isinstance(literal.value, str):
                    found.add(literal.value)
    return {each for each in found if " " in each}


def test_each_refusal_of_a_reviewer_has_french_words() -> None:
    found = refusals()
    assert len(found) >= 14
    assert {each for each in found if told_refusal(each) == each} == {", "} & found


def test_a_refusal_names_the_faults_of_its_codes() -> None:
    told = told_refusal("the text has reasons against it: rating, ungrounded_number")
    assert told == (
        "Des règles s’opposent à ce texte. Le texte donnait une note."
        " Un nombre n’était dans aucun fait."
    )


def test_each_state_hold_order_and_rule_has_french_words() -> None:
    assert OUTCOMES.keys() == set(AvisOutcome)
    assert HOLDS.keys() == set(HoldReason)
    assert VERBS.keys() == set(OrderVerb)
    assert STATUSES.keys() == set(OrderStatus)
    assert [code for code in RULES if fault_of(code) is None] == []
    assert told_reasons(["rating", "no_such"]) == ["Le texte donnait une note.", "no_such"]
