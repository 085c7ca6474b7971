"""The architecture page shows exactly the states of an avis that the code implements."""

import re
from collections import Counter
from pathlib import Path

from services.reviewer.texts.rulings import Fate
from shared.avis import ANY, PENDING, SKIPPED, TEXTLESS, TRANSITIONS, AvisEvent, AvisOutcome
from shared.metrics import AVIS_OUTCOMES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SECTION = PAGE.split("## The states of an avis\n")[1].split("\n## ")[0]
EDGE = re.compile(r"  (\S+) --> (\S+): (.+)")


def drawn() -> Counter[tuple[str, str, str]]:
    """Source, target and event of each arrow; `any` stands for each outcome."""
    arrows: Counter[tuple[str, str, str]] = Counter()
    for line in SECTION.splitlines():
        if (match := EDGE.fullmatch(line)) is not None:
            source, target, events = match.groups()
            for event in events.split(", "):
                for each in sorted(ANY) if source == "any" else [source]:
                    arrows[each, target, event.replace(" ", "_")] += 1
    return arrows


def test_the_diagram_shows_each_transition_of_the_table_once_and_no_other() -> None:
    assert drawn() == Counter(
        ("[*]" if source is None else source, target, transition.event)
        for transition in TRANSITIONS
        for source in transition.sources
        for target in transition.targets
    )


def test_the_page_says_what_each_event_does_to_claim_lease_publication_and_hold() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in SECTION.splitlines()
        if line.startswith("|")
    ]
    assert [[name.replace(" ", "_"), *effects] for name, _, *effects in rows[2:]] == [
        [each.event, each.claim_token, each.lease_until, each.published_at, each.held_because]
        for each in TRANSITIONS
    ]


def test_each_event_has_one_transition() -> None:
    assert [each.event for each in TRANSITIONS] == list(AvisEvent)


def test_each_outcome_is_reached_and_left() -> None:
    assert {target for each in TRANSITIONS for target in each.targets} == ANY
    for outcome in ANY:
        assert any(outcome in each.sources and each.targets - {outcome} for each in TRANSITIONS), (
            outcome
        )


def test_an_avis_is_claimed_and_settled_only_while_it_is_pending() -> None:
    kept = [
        each
        for each in TRANSITIONS
        if each.targets and "kept" in {each.claim_token, each.published_at}
    ]
    assert {frozenset(each.sources) for each in kept} == {frozenset({PENDING})}


def test_no_text_stays_where_none_may_be_shown() -> None:
    assert SKIPPED < TEXTLESS
    assert {outcome for outcome in ANY if outcome.startswith("skipped_")} == SKIPPED


def test_the_metric_counts_each_fate_of_a_claim() -> None:
    assert tuple(Fate) == AVIS_OUTCOMES
    assert {Fate.of(outcome) for outcome in ANY - {PENDING}} == {
        Fate.ACCEPTED,
        Fate.REJECTED,
        Fate.SKIPPED,
    }
    assert Fate.of(AvisOutcome.NO_REVIEWS) is Fate.SKIPPED
