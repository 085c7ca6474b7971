"""The pro_localisations and due avis, made again from the stored rows after a change of one."""

from collections.abc import Sequence
from operator import attrgetter

from sqlalchemy import Connection, text

from services.writer.erasure.erase import erase
from services.writer.erasure.letter_records import Silenced
from services.writer.erasure.purged import Purged
from services.writer.erasure.tombstones import is_person
from services.writer.pages.groups import hold_group
from services.writer.pages.subjects import PageSubject, StoredPage, stored_subject
from services.writer.sql.names import columns, excluded, fields_of
from services.writer.sql.pieces import in_pieces
from services.writer.sql.prepared import Prepared
from shared.avis import RESET, WITHDRAWN
from shared.db.copy_rows import copy_into, copy_line
from shared.db.neighbours import neighbourhood
from shared.db.quotations import erase_quotations
from shared.sirene.identifiers import siren_of
from shared.sirene.pages import ETABLISSEMENT_FACTS, UNITE_FACTS
from shared.sirene.records import Page

_PAGE_FIELDS = fields_of(Page)
_PAGE_VALUES = attrgetter(*_PAGE_FIELDS)
_PAGE_CHANGES = tuple(name for name in _PAGE_FIELDS if name not in {"siret", "siren"})
_AVIS_FIELDS = ("pro_localisation_id", "siret", "siren", "kind", "outcome", "facts_hash")

_IDS = "sirenade_page_ids"
_IDS_AT_ONCE = 2000
_TAKE_IDS = Prepared(
    "take_page_ids",
    """
    SELECT string_agg(nextval(ids)::text, ' ')
    FROM (SELECT pg_get_serial_sequence('pro_localisations', 'id')::regclass OFFSET 0) s (ids)
    CROSS JOIN generate_series(1, CAST(:number AS int))
    """,
)

# No siret may belong to one of the sirens: it would be read twice. `made` are sirets of these units
# that need not be read.
_READ_SUBJECTS = Prepared(
    "read_subjects",
    f"""
    SELECT (
        SELECT ARRAY[{columns(StoredPage._fields, "p.")}]
        FROM pro_localisations p WHERE p.siret = e.siret),
      EXISTS (SELECT FROM oppositions o WHERE o.siren = e.siren),
      EXISTS (SELECT FROM absences a
        WHERE a.siret = e.siret AND a.page_closed_at IS NOT NULL AND e.fetched_at <= a.asked_at),
      {columns(ETABLISSEMENT_FACTS, "e.")}, {columns(UNITE_FACTS, "u.")}
    FROM (
      SELECT {columns(ETABLISSEMENT_FACTS)}, fetched_at
      FROM unnest(string_to_array(:sirets, ' ')) AS siret JOIN etablissements USING (siret)
      UNION ALL
      SELECT {columns(ETABLISSEMENT_FACTS)}, fetched_at
      FROM unnest(string_to_array(:sirens, ' ')) AS siren JOIN etablissements USING (siren)
      WHERE siret NOT IN (SELECT unnest(string_to_array(:made, ' ')))) e
    JOIN unites_legales u ON u.siren = e.siren
    ORDER BY e.siret
    """,
)
# It keeps its slug, and opens again as the same page.
_CLOSE = Prepared(
    "close_pages",
    """
    UPDATE pro_localisations p SET status = 'closed', closed_at = now()
    FROM (
      SELECT id FROM pro_localisations
      WHERE siret = ANY(:sirets) AND status = 'open'
      ORDER BY siret FOR UPDATE) gone
    WHERE p.id = gone.id
    """,
)
# A slug that comes back is a page's address again, and leads nowhere else.
_KEEP_SLUGS = Prepared(
    "keep_slugs",
    """
    WITH kept AS (
      INSERT INTO page_redirects (slug, siret, siren)
      SELECT slug, siret, siren FROM pro_localisations WHERE siret = ANY(:sirets) ORDER BY slug
      ON CONFLICT (slug) DO UPDATE SET siret = excluded.siret, since = now())
    DELETE FROM page_redirects old USING new_pages n
    WHERE n.siret = ANY(:sirets) AND old.slug = n.slug
    """,
)
# The texts of a page get the neighbours of its new activity and commune.
_MOVE_SIMHASHES = Prepared(
    "move_simhashes",
    f"""
    UPDATE avis_simhashes kept SET place = moved.place
    FROM (
      SELECT a.id, {neighbourhood("p")} AS old_place, {neighbourhood("n")} AS place
      FROM new_pages n JOIN pro_localisations p USING (siret)
      JOIN avis a ON a.pro_localisation_id = p.id
      WHERE n.siret = ANY(:sirets)
      OFFSET 0) moved
    WHERE kept.place = moved.old_place AND kept.avis_id = moved.id
    """,
)
_OPEN = Prepared(
    "open_pages",
    f"""
    INSERT INTO pro_localisations AS p ({columns(_PAGE_FIELDS)})
    SELECT {columns(_PAGE_FIELDS)} FROM new_pages ORDER BY siret
    ON CONFLICT (siret) DO UPDATE SET
      {excluded(_PAGE_CHANGES)},
      opened_at = CASE p.status WHEN 'open' THEN p.opened_at ELSE now() END,
      closed_at = NULL
    WHERE ({columns(_PAGE_CHANGES, "p.")}) IS DISTINCT FROM ({columns(_PAGE_CHANGES, "excluded.")})
    """,
)

_EMPTY_PAGES = text("TRUNCATE new_pages")


def _drop_reviews_of_persons(pages: str) -> str:
    """Return the part of a statement that deletes the reviews of sole traders: a person's data."""
    return f"""
    WITH dropped AS (
      DELETE FROM sources s USING unites_legales u
      WHERE s.siret = ANY ({pages}) AND u.siren = s.siren AND {is_person("u")}
      RETURNING s.siret)"""


# A text that was accepted for these very facts is still good, and is not paid for again. The hash
# of a synthese goes on after the 64 digits of its facts, with that of its reviews. It returns the
# establishments that lost their reviews.
_PUT_DUE = Prepared(
    "put_due",
    f"""
    {_drop_reviews_of_persons("ARRAY(SELECT siret FROM new_pages)")}, due AS (
    INSERT INTO avis (pro_localisation_id, siret, siren, kind, outcome, facts_hash)
    SELECT p.id, n.siret, n.siren, kind, n.outcome, n.facts_hash
    FROM new_pages n JOIN pro_localisations p USING (siret)
      CROSS JOIN (VALUES ('notice'), ('synthese')) AS kinds (kind)
    WHERE kind = 'notice' OR EXISTS (SELECT FROM sources s WHERE s.siret = n.siret)
    ORDER BY kind, p.id
    ON CONFLICT (pro_localisation_id, kind) DO UPDATE SET
      outcome = CASE
        WHEN excluded.outcome = 'pending' AND avis.text IS NOT NULL
          AND avis.accepted_facts_hash = excluded.facts_hash || substr(avis.facts_hash, 65)
          THEN 'accepted'
        ELSE excluded.outcome END,
      facts_hash = excluded.facts_hash || substr(avis.facts_hash, 65),
      {RESET}
    WHERE left(avis.facts_hash, 64) <> excluded.facts_hash
      OR CASE excluded.outcome
        WHEN 'pending' THEN avis.outcome NOT IN ('pending', 'accepted', 'rejected', 'no_reviews')
        ELSE avis.outcome <> excluded.outcome END)
    SELECT siret FROM dropped
    """,
)
_CANCEL = Prepared(
    "cancel_avis",
    f"""
    {_drop_reviews_of_persons(":sirets")}, cancelled AS (
    UPDATE avis SET outcome = 'cancelled', {RESET}
    FROM (
      SELECT a.id FROM avis a JOIN pro_localisations p ON p.id = a.pro_localisation_id
      WHERE a.siret = ANY(:sirets) AND a.outcome = 'pending' AND p.status = 'closed'
      ORDER BY a.id
      FOR UPDATE OF a) gone
    WHERE avis.id = gone.id)
    SELECT siret FROM dropped
    """,
)


def renew_pages(
    connection: Connection,
    *,
    sirets: Sequence[str],
    sirens: Sequence[str],
    sole_traders: bool,
    made: Sequence[PageSubject] = (),
) -> None:
    """Bring pages and avis of these establishments, and of these units' others, up to date.

    The stored rows decide, not the records of the slice, so that the result does not depend on the
    order in which two versions came. `made` belong to rows that this transaction inserted: they are
    not read again. Raises a unique violation where one of them has a page nevertheless.
    """
    whole = frozenset(sirens)
    done = frozenset([subject.siret for subject in made])
    others = [siret for siret in sirets if siret not in done and siren_of(siret) not in whole]
    subjects: list[PageSubject] = []
    if whole or others:
        sent = {"sirets": others, "sirens": sorted(whole), "made": done}
        rows = _READ_SUBJECTS.run(connection, {name: " ".join(sent[name]) for name in sent})
        subjects = [stored_subject(row, sole_traders=sole_traders) for row in rows]
    for number, some in enumerate(in_pieces(subjects)):
        if number:
            connection.execute(_EMPTY_PAGES)
        _renew(connection, some)
    _open_made(connection, made)
    _forget(connection, [*subjects, *made])


def renew_many(connection: Connection, sirets: Sequence[str], *, sole_traders: bool) -> None:
    """Hold the units and do `renew_pages` for establishments of which most have no page yet.

    New pages need no comparison, unless reviews wait for them, or raw records of a purged person.
    """
    subjects, reviewed = hold_group(connection, sirets, sole_traders=sole_traders)
    new = [
        each
        for each in subjects
        if each.stored is None and each.siret not in reviewed and not each.is_purged
    ]
    if len(new) < len(subjects):
        of_new = frozenset([each.siret for each in new])
        _renew(connection, [each for each in subjects if each.siret not in of_new])
    _open_made(connection, new)
    _forget(connection, subjects)


def _forget(connection: Connection, subjects: Sequence[PageSubject]) -> None:
    forgotten = [subject for subject in subjects if subject.outcome in WITHDRAWN]
    units = frozenset(subject.siren for subject in forgotten if subject.is_silenced_with_unit)
    erase(connection, Silenced(units, frozenset(subject.siret for subject in forgotten)))


def _renew(connection: Connection, subjects: Sequence[PageSubject]) -> None:
    lines = [
        copy_line((*_PAGE_VALUES(subject.page), subject.outcome.value, subject.facts_hash))
        for subject in subjects
        if subject.page is not None
    ]
    copy_into(connection, "new_pages", (*_PAGE_FIELDS, "outcome", "facts_hash"), lines)
    closing = [each.siret for each in subjects if each.stored is not None and each.page is None]
    # A slug that holds the name of a withdrawn person leaves no redirect.
    renamed = [
        each.siret
        for each in subjects
        if each.changes_slug and not each.is_purged and each.outcome not in WITHDRAWN
    ]
    moved = [each.siret for each in subjects if each.changes_place]
    unnamed = [
        Purged(each.siret, each.facts_hash, each.loses_name) for each in subjects if each.is_purged
    ]
    if unnamed:
        erase(connection, unnamed=unnamed)
    for statement, sirets in (
        (_CLOSE, closing),
        (_KEEP_SLUGS, renamed),
        (_MOVE_SIMHASHES, moved),
    ):
        if sirets:
            statement.run(connection, {"sirets": sirets})
    if lines:
        _OPEN.run(connection)
        erase_quotations(connection, _PUT_DUE.run(connection).scalars())
    if closing:
        erase_quotations(connection, _CANCEL.run(connection, {"sirets": closing}).scalars())


def _open_made(connection: Connection, made: Sequence[PageSubject]) -> None:
    """Insert without a comparison, at a third of the cost of `_renew`: no row stands in the way."""
    opened = [(subject, page) for subject in made if (page := subject.page) is not None]
    if not opened:
        return
    pages, avis = [], []
    for id_, (each, page) in zip(_take_ids(connection, len(opened)), opened, strict=True):
        pages.append(f"{id_}\t{copy_line(_PAGE_VALUES(page))}")
        avis.append(f"{id_}\t{each.siret}\t{each.siren}\tnotice\t{each.outcome}\t{each.facts_hash}")
    copy_into(connection, "pro_localisations", ("id", *_PAGE_FIELDS), pages)
    copy_into(connection, "avis", _AVIS_FIELDS, avis)


def _take_ids(connection: Connection, number: int) -> Sequence[str]:
    """Take ids that the connection drew beforehand: a sequence gives no id to two connections."""
    kept: list[str] = connection.info.setdefault(_IDS, [])
    if len(kept) < number:
        more = {"number": max(number, _IDS_AT_ONCE)}
        kept += _TAKE_IDS.run(connection, more).scalar_one().split(" ")
    taken = kept[:number]
    del kept[:number]
    return taken
