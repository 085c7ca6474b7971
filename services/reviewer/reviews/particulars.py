"""The particulars of a review in French, as the reader sees them. Pure."""

from services.reviewer.french.grammar import NBSP, nombre
from services.reviewer.reviews.source import Terms, Verification

_CHECKED = {
    Verification.PURCHASE: "achat ou réservation vérifiés",
    Verification.IDENTITY: "identité de l’auteur vérifiée",
    Verification.CONTENT: "contenu lu avant publication",
}


def control_of(terms: Terms) -> str:
    """Return whether and how the review was checked, in short."""
    if terms.verification is Verification.NONE:
        return "avis non contrôlé"
    return f"avis contrôlé{NBSP}: {_CHECKED[terms.verification]}"


def counterpart_of(terms: Terms) -> str:
    return "déposé contre une contrepartie" if terms.counterpart else "déposé sans contrepartie"


def terms_in_words(terms: Terms) -> str:
    """Return one sentence with all that D111-17 and D111-18 ask for beside the reviews."""
    return f"Avis du site {terms.site}{NBSP}: " + f"{NBSP}; ".join(
        (
            _control(terms),
            "déposés contre une contrepartie" if terms.counterpart else "déposés sans contrepartie",
            _publication(terms.publication_days),
            f"conservés {_days(terms.retention_days)} au plus",
            f"leur auteur {'peut' if terms.author_contact else 'ne peut pas'} être contacté",
            "un avis ne peut pas être modifié"
            if terms.modification is None
            else f"un avis peut être modifié ({terms.modification})",
            "aucun avis n’est refusé"
            if terms.refusal_grounds is None
            else f"motifs de refus{NBSP}: {terms.refusal_grounds}",
            f"pour signaler un doute sur un avis{NBSP}: {terms.doubt_url}.",
        )
    )


def _control(terms: Terms) -> str:
    if terms.verification is Verification.NONE:
        return "avis non contrôlés"
    how = f"{_CHECKED[terms.verification]} ({terms.verification_description})"
    return f"avis contrôlés, {how}"


def _publication(days: int) -> str:
    return f"publiés {f'sous {_days(days)} au plus' if days else 'le jour de leur dépôt'}"


def _days(number: int) -> str:
    return f"{nombre(number)}{NBSP}jour{'s' if number > 1 else ''}"
