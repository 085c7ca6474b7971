"""The French words of states, holds, orders and refusals. Pure."""

from collections.abc import Mapping, Sequence

from shared.avis import AvisOutcome, HoldReason, OrderStatus, OrderVerb
from shared.texts.remedies import fault_of

OUTCOMES: Mapping[str, str] = {
    AvisOutcome.PENDING: "à écrire",
    AvisOutcome.ACCEPTED: "accepté",
    AvisOutcome.REJECTED: "refusé",
    AvisOutcome.CANCELLED: "page fermée",
    AvisOutcome.NO_REVIEWS: "aucun avis à citer",
    AvisOutcome.SKIPPED_NON_DIFFUSIBLE: "non diffusible",
    AvisOutcome.SKIPPED_SOLE_TRADER: "entreprise individuelle, exclue",
    AvisOutcome.SKIPPED_OPPOSITION: "opposition",
    AvisOutcome.NOT_UNDERSTOOD: "activité inconnue",
}
HOLDS: Mapping[str, str] = {
    HoldReason.ASKED: "une personne l’a demandé",
    HoldReason.EDITED: "une personne l’a écrit, et les faits ont changé",
    HoldReason.FALLBACK: "échantillon : le gabarit l’a écrit à la place d’un modèle",
    HoldReason.FIRST_TEXTS: "premiers textes d’une nouvelle consigne",
    HoldReason.ACCUSATION: "il passe une accusation sous silence",
    HoldReason.QUOTATION: "il cite un avis que personne n’a lu ici",
}
VERBS: Mapping[str, str] = {
    OrderVerb.HOLD: "retenir",
    OrderVerb.RELEASE: "publier",
    OrderVerb.REJECT: "refuser",
    OrderVerb.EDIT: "corriger",
    OrderVerb.REGENERATE: "faire réécrire",
}
STATUSES: Mapping[str, str] = {
    OrderStatus.PENDING: "en attente",
    OrderStatus.DONE: "fait",
    OrderStatus.REFUSED: "non fait",
}
KINDS: Mapping[str, str] = {"notice": "notice", "synthese": "synthèse d’avis"}
# The beginnings of what a reviewer or a writer answers. The rest is a state, or codes.
_REFUSALS = {
    "the establishment has no ": "Cet établissement n’a pas ce texte.",
    "the text has changed since": "Le texte a changé depuis votre lecture : relisez-le.",
    "there is no text to hold": "Il n’y a pas de texte à retenir.",
    "the text is held already": "Le texte est déjà retenu.",
    "the text is not held": "Le texte n’est pas retenu.",
    "the facts have changed, and the text": "Les faits ont changé, et le texte ne leur va plus.",
    "there is no text to reject": "Il n’y a pas de texte à refuser.",
    "the text waits for its successor": "Son successeur est déjà attendu : retenez ce texte.",
    "a synthese quotes: hold": "Une synthèse cite : retenez-la ou refusez-la.",
    "a synthese quotes: another": "Une synthèse cite : une autre dirait la même chose.",
    "no text may be written": "Aucun texte ne peut être écrit sur cet établissement.",
    "the text has reasons against it": "Des règles s’opposent à ce texte.",
    "a text is due already": "Un texte est déjà à écrire.",
    "a person edited the text": "Une personne a écrit ce texte : refusez-le d’abord.",
    "the validator broke": "Le contrôle du texte a échoué : prévenez l’exploitation.",
}
_NOT_STORED = "is not stored, and its check digit is wrong"


def told_refusal(refusal: str) -> str:
    """Say in French why an order was not carried out, with the faults that its codes stand for."""
    if _NOT_STORED in refusal:
        return "Ce numéro n’est pas au registre, et sa clé est fausse : vérifiez-le."
    for beginning, told in _REFUSALS.items():
        if refusal.startswith(beginning):
            codes = refusal.partition(": ")[2].split(", ")
            faults = [fault for code in codes if (fault := fault_of(code)) is not None]
            return " ".join((told, *faults))
    return refusal


def told_reasons(codes: Sequence[str]) -> list[str]:
    """Say in French what stands against a text; an unknown code is told as it is."""
    return [fault_of(code) or code for code in codes]
