"""The output of `avis show` fits a terminal of the usual width."""

import datetime as dt
import io
from decimal import Decimal

from rich.console import Console

from services.reviewer.commands.show import render_avis

ATTEMPT = {
    "attempted_at": dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC),
    "provider": "mistral",
    "model": "mistral-small-latest",
    "prompt_version": "notice-1-5a6b7c8d",
    "accepted": False,
    "reasons": ["certification_claim"],
    "tokens_in": 471,
    "tokens_out": 46,
    "tokens_cached": 0,
    "cost_eur": Decimal("0.00006090"),
    "unanswered": 0,
    "latency_seconds": 1.5,
    "text": None,
}
AVIS = {
    "kind": "notice",
    "id": 7,
    "outcome": "pending",
    "text": None,
    "facts": {"siret": "92348614600015", "categorie_juridique": "6540", "commune": "Bordeaux"},
    "sources": [],
    "attempts": [ATTEMPT],
    "held_because": "asked",
    "held_at": dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC),
    "orders": [
        {
            "verb": "hold",
            "ordered_by": "ada",
            "reason": "a complaint",
            "ordered_at": dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC),
            "status": "done",
            "refusal": None,
        }
    ],
}


def test_in_80_columns_nothing_is_cut_off() -> None:
    shown = io.StringIO()
    Console(file=shown, width=80).print(render_avis(AVIS))
    assert "…" not in shown.getvalue()
    for whole in ("92348614600015", "2026-11-23", "rejected", "certification_claim", "a complaint"):
        assert whole in shown.getvalue()
