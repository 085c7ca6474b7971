"""The places that hold people's data beside the tables, and how long each does after an erasure.

The manual has the same table; a test compares both.
"""

from typing import NamedTuple


class Copy(NamedTuple):
    """A row of the table, in Markdown."""

    where: str
    how_long: str
    what_to_do: str


COPIES = (
    Copy(
        "slices waiting in RabbitMQ",
        "until written; masked then",
        "let the writer run",
    ),
    Copy(
        "dead letters still in RabbitMQ (`.XQ`)",
        "archived within 10 s while a writer runs, without the records of who was erased; until"
        " then they stay, with no time limit",
        "keep one writer running",
    ),
    Copy(
        "RabbitMQ's files on disk",
        "until the segment is given free, after its messages are acknowledged",
        "nothing; encrypt the disk",
    ),
    Copy(
        "a page that a fetcher holds, a text that a reviewer generates",
        "seconds to minutes; the result is refused",
        "nothing",
    ),
    Copy(
        "staging tables of a `stock` that was interrupted (`stock_unites_legales`,"
        " `stock_etablissements`)",
        "`forget` clears them at once, a running writer within the hour what INSEE masks; a load"
        " that runs masks its rows as they enter the register",
        "go on with the load, or `./sirenade stock --discard`",
    ),
    Copy(
        "PostgreSQL's statistics (`pg_stats`)",
        "none are kept of columns with people's data",
        "`./sirenade migrate` names those that an earlier release left, and how to delete them",
    ),
    Copy(
        "PostgreSQL's log, and what collects it",
        "no row comes in with `log_min_error_statement = panic`, `log_error_verbosity = terse`"
        " and `log_destination = stderr`; with other settings, as long as you keep it",
        "`./sirenade migrate` and `make doctor` check it; delete logs of the time before",
    ),
    Copy(
        "the last statement of a session (`pg_stat_activity`)",
        "until its next statement",
        "give `pg_read_all_stats` to nobody who may not read the tables",
    ),
    Copy(
        "dead rows in PostgreSQL's files",
        "until autovacuum, and reuse of the space",
        "`VACUUM` where it must be at once; `VACUUM FULL` gives the space back",
    ),
    Copy(
        "words in the files of the portal's index (`ix_search_entries_terms`)",
        "until it is made anew: its entries and words are gone at once, the keys of its pages stay",
        "`./sirenade search rebuild`",
    ),
    Copy(
        "Elasticsearch, where it is switched on (`sirenade-*`): words of names and places, by the"
        " page's id",
        "a second or two after the erasure, also while a transaction holds the log up; while it or"
        " the indexer is away, until both are back. No search shows or counts it meanwhile:"
        " PostgreSQL confirms every hit",
        "`sirenade_elasticsearch_lag_seconds`; delete its indexes when you give it up"
        " (`./sirenade search drop`)",
    ),
    Copy(
        "segments, translog and snapshots of Elasticsearch; its slow and audit logs",
        "until segments are merged, at the latest until `./sirenade search rebuild`; snapshots and"
        " logs as long as you keep them",
        "rebuild once a month; make no snapshots of `sirenade-*`: a rebuild replaces them; leave"
        " those logs off",
    ),
    Copy(
        "directories that are told by webhooks, and whoever copies the API",
        "they are told within seconds; the rest is theirs",
        "`./sirenade portal webhooks list` says who takes no message",
    ),
    Copy(
        "write-ahead log, its archive",
        "as long as you keep the archive; replicas follow at once",
        "keep it no longer than dumps",
    ),
    Copy(
        "backups",
        "30 days: `./sirenade backup` deletes older ones; they hold no staging tables",
        "run it; encrypt them ([Backups](#backups)); versions that the store keeps of deleted"
        " objects count too; say so in your record of processing",
    ),
    Copy(
        "base backups and dumps that you make yourself",
        "as long as you keep them",
        "the same; after one is restored, run `./sirenade forget --apply store` before any service"
        " starts: no mark reminds you",
    ),
    Copy(
        "erasures in the store (`erasures/`) and files of `--export`",
        "lists: the newest and one day of older ones; acts: until a list a day younger holds them",
        "numbers, dates and reasons, no name; encrypted like backups",
    ),
    Copy(
        "a store that is a folder (`file://`)",
        "as backups; what is put there is for its owner only (0600 in folders of 0700)",
        "`chmod -R go= FOLDER` for what an earlier release put there; encrypt the disk",
    ),
    Copy(
        "what a backup or a restore keeps on the disk of `--folder` meanwhile",
        "until the command ends, also by `kill -9`: the file has no name",
        "nothing; encrypt the disk",
    ),
    Copy(
        "databases of a restore drill (`…_restore_drill_0`), for their owner alone",
        "until the drill ends, also by Ctrl-C or a stop; after `kill -9` until the next drill",
        "`./sirenade drill --clean`",
    ),
    Copy(
        "an upload that a kill cut short",
        "in a folder (`file://`) until the first backup a day later; in a bucket as long as its"
        " rules say",
        "S3: a rule that ends incomplete multipart uploads after a day",
    ),
    Copy(
        "the portal's access logs (`SIRENADE_PORTAL_ACCESS_LOG_DIRECTORY`)",
        "`SIRENADE_PORTAL_ACCESS_LOG_DAYS` days: 14; no query, no path, no whole address",
        "nothing; a proxy before the portal keeps logs of its own: give them an end",
    ),
    Copy(
        "a Redis as second level of the portal (`SIRENADE_PORTAL_CACHE_URL`)",
        "an hour at most, and an hour in the process that took it; from the erasure on nobody can"
        " ask for the page",
        "nothing, or `FLUSHALL`; let it write no file",
    ),
    Copy(
        "`page_reports`: what readers write about pages",
        "90 days after it is closed, a year at most; an erasure deletes those of its unit",
        "`./sirenade reports list`, and close what is done",
    ),
    Copy(
        "`console_users`, `console_sessions`, `console_actions`: who works with the console, and"
        " what they did",
        "accounts until `./sirenade console users remove`; sessions eight hours; the journal a"
        " year, which names accounts, and of people in the register numbers only",
        "nothing: an erasure finds no name there",
    ),
    Copy(
        "stock files of INSEE that you downloaded",
        "until you delete them; from a URL, `stock` keeps none",
        "delete them when the load is complete",
    ),
    Copy(
        "`avis-report.html`, the reports of `prove` (0600; its database is gone with the run),"
        " what you made of the output of commands",
        "until you delete them",
        "delete them when they are read",
    ),
    Copy(
        "`.local`: servers of the demo and of the tests",
        "until `make clean`",
        "their register is invented: keep real data out",
    ),
    Copy(
        "volumes of containers that were removed",
        "until `docker volume rm`; `docker compose down --volumes` removes them at once",
        "look with `docker volume ls`",
    ),
    Copy(
        "`withdrawn_reviews`: digests of a withdrawn review's address and id, without firm or"
        " words",
        "as long as its site could show the review, five years where none was stored; the job"
        " `reviews` deletes them",
        "nothing: without it the review comes back; `./sirenade reviews withdraw --undo URL`"
        " deletes one",
    ),
    Copy(
        "logs of the services, archived ones too",
        "they hold no names, addresses or records",
        "keep names out of `forget`'s `--reason` too: a file number will do",
    ),
)


def as_markdown() -> str:
    """Return the table as the manual has it."""
    head = "| where | how long | what to do |\n|---|---|---|\n"
    return head + "".join(f"| {' | '.join(copy)} |\n" for copy in COPIES)
