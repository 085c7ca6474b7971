"""A state that no code knows is refused by the table itself."""

from collections.abc import Sequence

from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_WORK = ("pending", "running", "complete", "failed")
_CHECKS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("pro_localisations", "status", ("open", "closed")),
    ("import_runs", "status", _WORK),
    ("import_batches", "status", _WORK),
    ("failed_items", "kind", ("write", "review")),
    ("job_slots", "status", ("running", "done", "failed")),
    ("avis", "kind", ("notice", "synthese")),
    (
        "avis",
        "outcome",
        (
            "pending",
            "accepted",
            "rejected",
            "cancelled",
            "no_reviews",
            "skipped_non_diffusible",
            "skipped_sole_trader",
            "skipped_opposition",
        ),
    ),
)


def upgrade() -> None:
    for table, column, values in _CHECKS:
        quoted = ", ".join(f"'{value}'" for value in values)
        op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, f"{column} IN ({quoted})")


def downgrade() -> None:
    for table, column, _ in _CHECKS:
        op.drop_constraint(op.f(f"ck_{table}_{column}"), table, type_="check")
