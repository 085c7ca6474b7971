"""What a notice may never say: rule 1 of the editorial rules, one pattern a code."""

import re

from services.reviewer.validation.subject import Subject

_FIRST_PERSON = re.compile(
    r"\b(?:je|moi|nous|notre|nos|mon|mes|vous|votre|vos)\b|\bj'|\bm'(?=[aeiouh])|\bon (?!\W)"
    r"|\bma (?=\w)|\btu\b|\bl'on\b"
)
_FAKE_EXPERIENCE = re.compile(
    r"\bj'y\b|\bsuis (?:alle|venu|reparti|tombe)\w*|\btout etait\b|\blors de (?:ma|mon|notre)\b|"
    r"\b(?:teste|goute|visite|essaye|essaie|apprecie|deguste|regale)\w*\b"
    r"|\baccueil(?:li\w*|lant\w*)?"
    r" (?:\w+ )?(?:chaleureu|sympa|souriant|agreable|parfait|au top)|\bbien accueilli|\bsatisf\w+"
    r"|\bdecus?\b|\bravie?s?\b|\bexperience\b|\bclients? "
    r"(?:sont|fideles|ravis|conquis|repart\w+)"
    r"|\bsympathique\w*|\bchaleureu\w+|\bsouriant\w*|\ba l'ecoute\b|\bagreable\w*|\bconvivial\w*"
    r"|\bdelicieu\w+|\bsavoureu\w+|\bambiance\b|\bdetour\b"
    r"|\bequipe (?:\w+ )?(?:dynamique|passionnee)"
    r"|\bbon moment\b|\bservice (?:rapide|impeccable|soigne|parfait|efficace|attentionne)"
)
_RATING = re.compile(
    r"[★☆⭐]|\b\d+(?:[.,]\d+)? ?(?:/|sur) ?(?:5|10|20|100)\b|\betoiles?\b"
    r"|\b(?:note|noteee?s?|notation|evaluee?) (?:de |a )?\d|\bnote (?:moyenne|globale|maximale)"
    r"|\bavis (?:positifs?|negatifs?|clients?|favorables?)|\b\d+ ?%|\bpour ?cent\b"
    r"|\b(?:cinq|quatre|dix) (?:etoiles|sur (?:cinq|dix))|\bbien note\w*"
)
_SUPERLATIVE = re.compile(
    r"\bmeilleur\w*|\bleaders?\b|\ble plus\b|\bla plus\b|\bles plus\b|\bn(?:°|o\.?) ?1\b"
    r"|\bnumero (?:un|1)\b|\bincontournable\w*|\bexception\w+|\bexcellen\w+|\bparfait\w*"
    r"|\bideal\w*|\bremarquable\w*|\breput\w+|\brenomm\w+"
    r"|\breconnue?s? (?:pour|dans|comme)"
    r"|\bsavoir-faire\b|\bqualites?\b|\bserieu\w+|\bprofessionnalisme\b|\bpassion\w*"
    r"|\bpremier (?:plan|choix|ordre)\b|(?<!annee )\bde reference\b|\bune reference\b"
    r"|\bdynamique\w*"
    r"|\binnov\w+|\bfiab\w+|\bunique\w*\b(?! en son genre)|\bexpert(?:e|s|es|ise)?\b"
    r"|\bperforman\w+|\bprestigieu\w+|\bextraordinaire\w*|\bformidable\w*|\bimpeccable\w*"
    r"|\bsoigne(?:e|s|es)?\b|\befficac\w+|\bcompeten\w+|\brigoureu\w+|\brigueur\b|\bsuper\b"
    r"|\btop\b|\bhaut(?:e)? (?:de gamme|qualite|niveau)|\binegal\w+|\bdevoue\w*|\bsur[- ]mesure\b"
    r"|\btres (?:bon|bien|apprecie|connu|grand)\w*|\bgrande experience\b|\bconfiance\b"
)
_RECOMMENDATION = re.compile(
    r"\brecommand\w+|\bconseill(?:e|ons|ez|ee|es)\b|\bn'hesitez\b|\ba (?:decouvrir|visiter|essayer)"
    r"\b|\bvenez\b|\bdecouvrez\b|\brendez-vous\b|\bcontactez\b|\bfaites\b|\bchoisissez\b"
    r"|\bpoussez\b|\bne manquez\b|\ba ne pas (?:manquer|rater)\b"
    r"|\bvaut le\b|\bles yeux fermes\b"
    r"|\bbonne adresse\b|\badresse a\b|\bsuggere\w*|\bappelez\b|\bprofitez\b|\bprivilegi\w+"
)
_PRICE = re.compile(
    r"\bprix\b|\btarif\w*|\bgratuit\w*|\bpas cher\w*|\bcheres?\b|\babordable\w*|€"
    r"|\beuros?\b|\beur\b"
    r"|\bdevis\b|\bpromotions?\b|\bremises?\b|\bcouts?\b|\bbon marche\b|\bbudget\w*|\bcompetiti\w+"
    r"|\bavantageu\w+|\bsoldes?\b|\brabais\b|\beconomiser\b|\brapport qualite\b|\breductions?\b"
)
_HEALTH = re.compile(
    r"\bguer\w+|\bsoign(?:e|ent|er|ant)\b|\bbienfaits?\b|\btherapeut\w+|\bsoulag\w+"
    r"|\bsans danger\b|\bbon(?:ne)?s? pour la sante\b|\bla sante\b|\bbien-etre\b|\bmaladies?\b"
    r"|\bdouleurs?\b|\bcuratif\w*|\bstress\b|\bminceur\b|\bmaigrir\b|\bimmunit\w+|\bvertus?\b"
    r"|\btraite(?:nt)? (?:les|la|le|efficacement)\b|\bmedica(?:l|ux|le|les|ment\w*)\b|\bhygien\w+"
)
_CERTIFICATION = re.compile(
    r"\bcertifi\w+|\blabels?\b|\blabellis\w+|\bagre(?:e|ee|es|ees|ment)\b|\biso ?\d*\b|\brge\b"
    r"|\bqualib\w+|\bqualiopi\b|\bdecennale\b|\bgaranti\w*|\bdiplom\w+|\bnormes?\b|\baop\b|\bbio\b"
    r"|\bagriculture biologique\b|\baccredit\w+|\bassermente\w*|\bhomologu\w+|\bhabilit\w+"
    r"|\bconventionne\w*|\bconforme\w*|\bmaitre artisan\b|\bqualifi\w+|\bmedaille\w*|\bprime\b"
)
_NEGATIVE = re.compile(
    r"\bmauvais\w*|\bplaign\w+|\btrop\b|\bevit(?:er|ez)\b|\barnaqu\w+|\bdecevant\w*|\bdeception\b|\bplaintes?\b"
    r"|\blitiges?\b|\bmalheureusement\b|\bretards?\b|\bdettes?\b|\bfaillite\b|\bdifficultes?\b"
    r"|\bcondamn\w+|\bproblem\w+|\bmediocre\w*|\bsales?\b|\blents?\b|\blenteur\b|\bpeu fiable\b"
    r"|\bfraud\w*|\bmanqu(?:e|ent)\b|\bescro\w+|\bdangereu\w+|\bdeplorable\w*|\bnul(?:le|les)\b"
    r"|\bdeconseill\w+|\binsuffisan\w+|\bincompeten\w+|\bmecontent\w*|\bcritiqu\w+|\bpire\b"
    r"|\bredressement\b|\bliquidation\b|\bsanction\w*|\bmalhonnet\w+|\bhorrible\w*"
)
_CONTACT = re.compile(
    r"(?:\+ ?33|\b0) ?[1-9](?:[ .-]?\d{2}){4}\b|\S@\S|https?:|\bwww\b"
    r"|\b[a-z0-9-]+\.(?:fr|com|net|org|eu|io|info)\b|\bsites? (?:web|internet)\b|\bpages? web\b"
    r"|\btelephon\w+|\btel\b|\bcourriel\w*|\be-?mails?\b|\bfax\b|\b0[1-9]\d{8}\b|\ben ligne\b"
    r"|\b\d{1,4}(?: ?(?:bis|ter|quater))?,? (?:rue|avenue|boulevard|chemin|impasse|allee|place|quai"
    r"|route|cours|square|lieu-dit)\b|\b(?:rue|avenue|boulevard|impasse|allee|quai|av\.|bd) "
    r"(?:de|du|des|d'|la|le|les|general|jean|saint|victor)|\b\d{5} (?=[a-z¤])|\bcode postal\b"
    r"|\bfacebook\b|\binstagram\b|\bwhatsapp\b|\blinkedin\b"
)
_CIVILITY = re.compile(r"(?<!\w)(?:M\.|MM\.|Mme|Mmes|Mlle|Mr|Dr|Me|Pr) ?[A-ZÀ-Þ]")
_ROLE = re.compile(
    r"\b(?:monsieur|madame|mademoiselle)\b|\b(?:dirige|fonde|gere|preside|cree|reprise?|tenu|anime"
    r"|pilote)e?s? par\b(?! l'insee)|\b(?:son|sa|le|la|l'|un|une|ses|les) ?(?:gerante?"
    r"|dirigeante?|fondateur"
    r"|fondatrice|presidente?|directeur|directrice"
    r"|patronn?e?|proprietaire|associee?s?|exploitante?)\b"
)
_FIRST_NAMES = (
    "Alain|Alexandre|Alice|Amélie|André|Anne|Antoine|Arnaud|Audrey|Aurélie|Benoît|Bernard|"
    "Brigitte|Bruno|Camille|Caroline|Catherine|Chantal|Charles|Christelle|Christian|Christine|"
    "Christophe|Claire|Claude|Corinne|Cédric|Céline|Daniel|David|Delphine|Denis|Didier|"
    "Dominique|Emilie|Emma|Emmanuel|Fabrice|François|Françoise|Frédéric|Gabriel|Georges|"
    "Gilles|Guillaume|Guy|Gérard|Henri|Hugo|Hélène|Isabelle|Jacqueline|Jacques|Jean|Joseph|"
    "Julie|Julien|Jérôme|Karine|Laetitia|Laurence|Laurent|Louis|Louise|Luc|Lucas|Léa|Marc|"
    "Marie|Marine|Marion|Martine|Mathieu|Maurice|Maxime|Michel|Michèle|Mohamed|Monique|"
    "Nathalie|Nicolas|Nicole|Olivier|Pascal|Patricia|Patrick|Paul|Philippe|Pierre|Raymond|"
    "René|Renée|Robert|Roger|Romain|Sandrine|Serge|Simon|Sophie|Stéphane|Stéphanie|Sylvie|"
    "Sébastien|Thierry|Thomas|Valérie|Victor|Vincent|Virginie|Véronique|Xavier|Yann|Yves|"
    "Élodie|Émilie|Éric"
)
_FULL_NAME = re.compile(rf"\b(?:{_FIRST_NAMES})(?:-[A-ZÀ-Þ]\w+)? [A-ZÀ-Þ][\w'’-]+")
_MASKED_DATA = re.compile(
    r"\[nd\]|\bnon[ -](?:diffus\w+|communique\w*|renseigne\w*)\b|\b(?:information"
    r"|donnee|adresse|nom)s?"
    r" (?:masque|cache|occulte|anonymise|confidentiel)\w*|\bx{3,}\b|\*{3,}|\bdiffusion partielle\b"
    r"|\bnd\b|█+"
)
_SENSITIVE = re.compile(
    r"\b(?:catholi\w+|musulman\w*|islam\w*|juif|juive|juifs|juives|judai\w+"
    r"|protestant\w*|evangeli\w+"
    r"|bouddhi\w+|religi\w+|homosexuel\w*|gay|lesbien\w*|transgenre\w*|sexuel\w*|handicap\w*"
    r"|ethni\w+|racia\w+|nationalite|immigr\w+|origine (?:africaine|etrangere|maghrebine|asiatique)"
    r"|politique\w*|socialiste\w*|communiste\w*|syndique\w*|militant\w*|casier judiciaire|opinions?"
    r"|genetique\w*|seropositi\w+|enceinte)\b"
)
_PROFANITY = re.compile(
    r"\b(?:merd\w+|put(?:e|es|ain)|connard\w*|connasse\w*|cons?|conne|salaud\w*|salope\w*|encul\w+"
    r"|foutre|foutu\w*|chier|chiant\w*|bordel\w*|bite\w*|couille\w*|nique\w*|batard\w*|pd|abruti\w*"
    r"|debile\w*|cretin\w*|fuck\w*|shit\w*|asshole\w*|bitch\w*)\b"
)


def _found(pattern: re.Pattern[str], subject: Subject) -> bool:
    return pattern.search(subject.rest_folded) is not None


def first_person(subject: Subject) -> bool:
    """Speaks as somebody or to somebody: a notice is in the third person."""
    return _found(_FIRST_PERSON, subject)


def fake_experience(subject: Subject) -> bool:
    return _found(_FAKE_EXPERIENCE, subject)


def rating(subject: Subject) -> bool:
    return _found(_RATING, subject)


def superlative(subject: Subject) -> bool:
    """Praise of any degree, also the canned one: « sérieux et professionnalisme »."""
    return _found(_SUPERLATIVE, subject)


def recommendation(subject: Subject) -> bool:
    return _found(_RECOMMENDATION, subject)


def price_claim(subject: Subject) -> bool:
    return _found(_PRICE, subject)


def health_claim(subject: Subject) -> bool:
    return _found(_HEALTH, subject)


def certification_claim(subject: Subject) -> bool:
    return _found(_CERTIFICATION, subject)


def negative_claim(subject: Subject) -> bool:
    return _found(_NEGATIVE, subject)


def contact_data(subject: Subject) -> bool:
    return _found(_CONTACT, subject)


def person_name(subject: Subject) -> bool:
    """Somebody besides the name of the page: by title, by office, or by a first name."""
    return (
        _CIVILITY.search(subject.rest) is not None
        or _found(_ROLE, subject)
        or _FULL_NAME.search(subject.rest) is not None
    )


def masked_data(subject: Subject) -> bool:
    """INSEE's "[ND]" and what stands for it: what is masked is not even hinted at."""
    return _found(_MASKED_DATA, subject)


def sensitive(subject: Subject) -> bool:
    """The special categories of GDPR article 9, and convictions."""
    return _found(_SENSITIVE, subject)


def profanity(subject: Subject) -> bool:
    return _found(_PROFANITY, subject)
