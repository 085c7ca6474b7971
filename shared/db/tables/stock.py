"""The loads of stock files and their progress."""

from sqlalchemy import Index, PrimaryKeyConstraint

from shared.db.tables import columns as col

_STATUSES = ("staging", "staged", "stored", "complete", "refused", "abandoned", "compared")
_STAGED = "status IN ('staging', 'staged')"

stock_loads = col.table(
    "stock_loads",
    col.own_id(),
    col.one_of("collection", "unites_legales", "etablissements"),
    col.text("file_name", required=True),
    # Size and version of the file: an interrupted load goes on only with the same file.
    col.text("file_identity", required=True),
    col.date("file_date", required=True),
    # The `fetched_at` of its rows.
    col.instant("fetched_at", required=True),
    # The file's rows in each chunk, refused ones included: it gives a chunk's number its meaning.
    col.integer("chunk_rows", required=True),
    col.one_of("way", "swap", "merge", "compare"),
    col.one_of("status", *_STATUSES, default="staging"),
    # The rows of the file that could be read, and those that could not.
    col.counter("rows", "refused"),
    # The outcomes of the rows that could be read.
    col.counter("inserted", "updated"),
    # Rows of the register that the file lacks; they stay.
    col.bigint("vanished"),
    # The highest treatment date among the rows.
    col.insee_time("treated_until"),
    # The last merged block of the staging table; the last siret whose pages were renewed.
    col.counter("merged_blocks"),
    col.text("pages_siret"),
    col.instant_now("started_at"),
    col.instant("finished_at"),
    # A merge stores rows that differ, too, although they have the stored row's date.
    col.boolean("takes_equal", default="false"),
    # A person had it stored although it has too few rows, or too many that cannot be read.
    col.boolean("forced", default="false"),
    # The rows of establishments that are head offices: each unit has one.
    col.bigint("head_offices"),
    # There is one staging table for each collection.
    Index("uq_stock_loads_open", "collection", unique=True, postgresql_where=_STAGED),
)

stock_chunks = col.table(
    "stock_chunks",
    col.reference("load_id", "stock_loads.id"),
    col.integer("number", "rows", "refused", required=True),
    # The first refused rows: a key or null, the reason, and of later releases the line and column.
    col.texts("refused_keys", "refused_codes", required=True),
    col.insee_time("treated_until"),
    col.instant_now("written_at"),
    col.bigints("refused_lines"),
    col.texts("refused_columns"),
    PrimaryKeyConstraint("load_id", "number"),
)
