"""The worker: when an event is tried next, who works, what each of its jobs did"""

import sqlalchemy as sa
from alembic import op

revision = "0004_worker"
down_revision = "0003_money_back"
branch_labels = None
depends_on = None

_WAITING = sa.text("next_try_at IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("events") as batch_op:
        batch_op.add_column(sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE events SET next_try_at = received_at WHERE state IN ('received', 'parked')")
    op.create_index(
        "ix_events_next_try_at", "events", ["next_try_at"], sqlite_where=_WAITING, postgresql_where=_WAITING
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=255), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_table(
        "jobs",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("milliseconds", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_jobs")),
    )


def downgrade() -> None:
    op.drop_table("jobs")
    op.drop_table("workers")
    op.drop_index("ix_events_next_try_at", table_name="events")
    with op.batch_alter_table("events") as batch_op:
        batch_op.drop_column("next_try_at")
