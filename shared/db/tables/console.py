"""The console's accounts, sessions and journal; in the control database.

They name the people who work with the console, and nobody of the register: the journal holds
numbers and codes of what was acted on. Its CHECK refuses capitals, accents and markup, with which
a name begins.
"""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from shared.db.tables import columns as col

ROLES = ("reader", "editor", "operator", "admin")
KEPT_DAYS = 365
"""The days after which a line of the journal is deleted."""
SUBJECT = "^[a-z0-9_ .:,;=/+-]{0,200}$"
"""A subject of the journal is numbers and codes."""

console_users = col.table(
    "console_users",
    col.own_id(),
    # The name that a person logs in with.
    col.text("login", required=True),
    # Argon2, or a word that no password has.
    col.text("password_hash", required=True),
    # The password ends with its first use.
    col.boolean("is_one_time", default="false"),
    col.one_of("role", *ROLES),
    # Wrong passwords since the last right one.
    col.integer("failures", default="0"),
    col.instant("locked_until"),
    col.instant_now("created_at"),
    UniqueConstraint("login"),
    fillfactor=50,
)
console_sessions = col.table(
    "console_sessions",
    # SHA-256 of the token in the cookie, which is random: the token itself is kept nowhere.
    col.binary("token_hash", key=True),
    col.reference("user_id", "console_users.id"),
    # Each form of the session sends it along.
    col.text("csrf", required=True),
    # Words about the last action, for the next page.
    col.text("notice"),
    col.instant_now("opened_at"),
    col.instant("expires_at", required=True),
    Index("ix_console_sessions_user_id", "user_id"),
)
console_actions = col.table(
    "console_actions",
    col.own_id(),
    col.text("login", "action", "subject", required=True),
    col.instant_now("done_at"),
    CheckConstraint(f"subject ~ '{SUBJECT}'", name="subject"),
    Index("ix_console_actions_done_at", "done_at"),
)
