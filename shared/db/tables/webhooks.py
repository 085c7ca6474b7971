"""The webhooks of the portal; in the control database."""

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint

from shared.db.tables import columns as col

webhooks = col.table(
    "webhooks",
    [col.own_id()],
    # The receiver, as the operator calls them.
    col.text("name", "url", required=True),
    # It signs, so that it is kept as it is.
    col.text("secret", required=True),
    # Empty: all of them.
    col.texts("kinds", "departements", required=True),
    col.instant_now("created_at"),
    col.text("paused_because"),
    UniqueConstraint("name"),
)

# The place up to which a receiver was told of the changes of a shard.
webhook_places = col.table(
    "webhook_places",
    [col.reference("webhook_id", "webhooks.id")],
    col.integer("shard", required=True),
    col.text("position", required=True),
    # The rows of the message that was begun, so that it is sent again as it was; 0: none was.
    col.integer("pending_rows", "failures", default="0"),
    col.instant("failing_since"),
    # Nobody sends before; whoever sends moves it on first.
    col.instant_now("due_at"),
    PrimaryKeyConstraint("webhook_id", "shard"),
    fillfactor=50,
)

webhook_attempts = col.table(
    "webhook_attempts",
    [col.own_id(), col.reference("webhook_id", "webhooks.id")],
    col.text("message_id", required=True),
    [col.one_of("outcome", "delivered", "refused", "unreachable")],
    col.integer("status"),
    col.integer("changes", required=True),
    col.instant_now("attempted_at"),
    Index(None, "webhook_id", "id"),
    Index(None, "attempted_at"),
)
