"""Keep the console's accounts, sessions and journal."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0053"
down_revision: str | None = "0051"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        text("""
    CREATE TABLE console_users (
      id BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL,
      login TEXT NOT NULL,
      password_hash TEXT NOT NULL,
      is_one_time BOOLEAN DEFAULT false NOT NULL,
      role TEXT NOT NULL CONSTRAINT ck_console_users_role
        CHECK (role IN ('reader', 'editor', 'operator', 'admin')),
      failures INTEGER DEFAULT 0 NOT NULL,
      locked_until TIMESTAMP WITH TIME ZONE,
      created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      CONSTRAINT pk_console_users PRIMARY KEY (id),
      CONSTRAINT uq_console_users_login UNIQUE (login)
    ) WITH (fillfactor = 50);
    CREATE TABLE console_sessions (
      token_hash BYTEA NOT NULL,
      user_id BIGINT NOT NULL,
      csrf TEXT NOT NULL,
      notice TEXT,
      opened_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
      CONSTRAINT pk_console_sessions PRIMARY KEY (token_hash),
      CONSTRAINT fk_console_sessions_user_id FOREIGN KEY (user_id)
        REFERENCES console_users (id)
    );
    CREATE INDEX ix_console_sessions_user_id ON console_sessions (user_id);
    CREATE TABLE console_actions (
      id BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL,
      login TEXT NOT NULL,
      action TEXT NOT NULL,
      subject TEXT NOT NULL,
      done_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      CONSTRAINT pk_console_actions PRIMARY KEY (id),
      CONSTRAINT ck_console_actions_subject
        CHECK (subject ~ '^[a-z0-9_ .:,;=/+-]{0,200}$')
    );
    CREATE INDEX ix_console_actions_done_at ON console_actions (done_at);
    CREATE INDEX ix_failed_items_cause ON failed_items (kind, code, id)
      WHERE resolved_at IS NULL;
    ALTER TABLE console_users ALTER login SET STATISTICS 0,
      ALTER password_hash SET STATISTICS 0;
    ALTER TABLE console_sessions ALTER csrf SET STATISTICS 0, ALTER notice SET STATISTICS 0;
    ALTER TABLE console_actions ALTER login SET STATISTICS 0
    """)
    )
