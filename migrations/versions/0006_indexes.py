"""What is claimed and what is deleted is found without reading whole tables"""

import sqlalchemy as sa
from alembic import op

revision = "0006_indexes"
down_revision = "0005_reconcile"
branch_labels = None
depends_on = None

_WAITS = sa.text("next_try_at IS NOT NULL")
_UNPAID = sa.text("state = 'expired' AND subscription_id IS NULL AND flag IS NULL")
_ENDS = (
    ("reader_sessions", "expires_at"),
    ("reader_sessions", "ended_at"),
    ("sign_in_links", "expires_at"),
    ("sign_in_links", "used_at"),
    ("letters", "done_at"),
)


def upgrade() -> None:
    columns = ["attempts", "next_try_at", "id"]
    name = "ix_events_attempts_next_try_at_id"
    op.create_index(name, "events", columns, sqlite_where=_WAITS, postgresql_where=_WAITS)
    op.create_index("ix_checkouts_unpaid", "checkouts", ["closed_at"], sqlite_where=_UNPAID, postgresql_where=_UNPAID)
    for table, column in _ENDS:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    for table, column in reversed(_ENDS):
        op.drop_index(op.f(f"ix_{table}_{column}"), table_name=table)
    op.drop_index("ix_checkouts_unpaid", table_name="checkouts")
    op.drop_index("ix_events_attempts_next_try_at_id", table_name="events")
