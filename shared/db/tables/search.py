"""The index of the portal, made of the register by its indexer (docs/adr/0036-search.md).

It lives beside the pages, so that an erasure takes entry and words away in its own transaction.
"""

import sqlalchemy as sa
from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

from shared.db.tables import columns as col

_WORD = sa.Text(collation="C")
_BEST_FIRST = (text("rank DESC"), text("pro_localisation_id DESC"))

# A page that is open to all, and none of another.
search_entries = col.table(
    "search_entries",
    col.bigint("pro_localisation_id", key=True),
    col.text("siret", "siren", required=True),
    # The name of the page, and the other names of its establishment and unit. `person`: one of
    # them is a sole trader's own.
    col.text("nom", "names"),
    col.boolean("person", required=True),
    col.text("libelle_commune", "code_postal"),
    # `departement` is empty where the code of the commune tells none.
    col.text("code_commune", "activite_principale", "departement", required=True),
    col.text("region"),
    col.boolean("open", "siege", required=True),
    col.text("tranche_effectifs", "categorie_juridique"),
    # An unknown date is 1900-01-01, as INSEE has it itself.
    col.date("date_creation", required=True),
    col.smallint("rank", required=True),
    # Metres in a plane of `shared.search.planes`.
    col.integer("x", "y"),
    # The words of names and place, and the filters (`shared.search.entries`).
    col.columns(TSVECTOR, "terms", required=True),
    # The indexer empties its list of pending entries after each batch.
    Index(
        "ix_search_entries_terms",
        "terms",
        postgresql_using="gin",
        postgresql_with={"fastupdate": "on"},
    ),
    Index("ix_search_entries_siren", "siren"),
    # Filters without words: an index of lexemes would take fifty times as long for large ones.
    Index("ix_search_entries_code_commune", "code_commune", *_BEST_FIRST),
    Index(
        "ix_search_entries_code_commune_activite_principale",
        *("code_commune", "activite_principale", *_BEST_FIRST),
    ),
    Index(
        "ix_search_entries_activite_principale_departement",
        *("activite_principale", "departement", *_BEST_FIRST),
    ),
    Index("ix_search_entries_departement", "departement", *_BEST_FIRST),
    Index("ix_search_entries_code_postal", "code_postal", *_BEST_FIRST),
    Index("ix_search_entries_rank", *_BEST_FIRST),
    Index(
        "ix_search_entries_date_creation",
        text("date_creation DESC"),
        text("pro_localisation_id DESC"),
    ),
    Index(
        "ix_search_entries_point",
        text("point(x, y)"),
        postgresql_using="gist",
        postgresql_where=text("x IS NOT NULL"),
    ),
)

# Every word of the entries once: typing mistakes are looked for here, and not among the entries.
search_lexemes = col.table(
    "search_lexemes",
    col.columns(_WORD, "lexeme", key=True),
    # The number of entries that hold it; less exact for words that thousands hold.
    col.integer("documents", required=True),
    # `shared.search.words.variants`
    col.columns(ARRAY(sa.Integer), "variants", required=True),
    Index("ix_search_lexemes_variants", "variants", postgresql_using="gin"),
    fillfactor=85,
)

# The most frequent words that begin with these two to four letters, made anew each day.
search_prefixes = col.table(
    "search_prefixes",
    col.columns(_WORD, "prefix", key=True),
    col.texts("lexemes", required=True),
)

search_cursors = col.table(
    "search_cursors",
    col.text("consumer", key=True),
    # The change up to which this consumer has read; of a rebuild, the last page that is in.
    col.text("position"),
    col.instant_now("moved_at"),
)
