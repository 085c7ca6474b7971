"""An order about a text, as a form sends it."""

import re
from collections.abc import Sequence

from sqlalchemy import Connection

from services.operator.console.visits import Visit, VisitRefused
from shared.avis import OrderVerb, TextOrder
from shared.controls import without_controls
from shared.db.shards import connection_to
from shared.sirene.identifiers import is_siret
from shared.texts.orders import place_order

KINDS = frozenset({"notice", "synthese"})
VERBS = frozenset(OrderVerb)
MOST_REASON = 500
_MOST_TEXT = 10_000
_READ = "Lu, conforme."


def read_order(visit: Visit) -> TextOrder:
    """Return the order that the form holds. Raises VisitRefused where something is missing."""
    siret, kind, verb = (visit.parameters[name] for name in ("siret", "kind", "verb"))
    if not is_siret(siret) or kind not in KINDS or verb not in VERBS:
        raise VisitRefused(404, "Cet ordre n’existe pas.", back="/textes")
    back = f"/textes/{siret}/{kind}"
    seen, reason = visit.word("vu"), visit.word("motif", most=MOST_REASON)
    if not seen:
        raise VisitRefused(400, "Ce formulaire est incomplet : rouvrez le texte.", back=back)
    if not reason and verb != OrderVerb.RELEASE:
        raise VisitRefused(400, "Dites pourquoi : le motif est gardé avec l’ordre.", back=back)
    return TextOrder(
        siret=siret,
        kind=kind,
        verb=OrderVerb(verb),
        ordered_by=visit.who.account.login,
        reason=reason or _READ,
        text=_words_of(visit, back) if verb == OrderVerb.EDIT else None,
        override=visit.word("passer_outre") == "oui",
        seen=seen,
    )


def send_order(visit: Visit, connections: Sequence[Connection], order: TextOrder) -> None:
    """Place the order, and note it in the journal. Raises TextHasChanged as `place_order` does."""
    home = connection_to(visit.settings, connections, order.siret[:9])
    order_id = place_order(home, order)
    visit.note(connections[0], f"avis.{order.verb}", f"siret {order.siret} order {order_id}")


def _words_of(visit: Visit, back: str) -> str:
    """Return the text on one line; non-breaking spaces stay."""
    words = re.sub(r"[ \t\r\n]+", " ", visit.form.get("texte", "")).strip()
    words = without_controls(words)
    if not words:
        raise VisitRefused(400, "Le texte est vide.", back=back)
    if len(words) > _MOST_TEXT:
        raise VisitRefused(400, f"Le texte a plus de {_MOST_TEXT} signes.", back=back)
    return words
