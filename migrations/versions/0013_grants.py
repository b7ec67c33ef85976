"""The service desk: access that staff give free of charge, and what staff did"""

import sqlalchemy as sa
from alembic import op

revision = "0013_grants"
down_revision = "0012_staff"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "grants",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("reader_id", sa.String(length=40), nullable=False),
        sa.Column("plan", sa.String(length=40), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_grants_reader_id_readers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    op.create_index(op.f("ix_grants_reader_id"), "grants", ["reader_id"])
    op.create_table(
        "staff_actions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff_id", sa.String(length=40), nullable=True),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=True),
        sa.Column("thing", sa.String(length=255), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=200), nullable=True),
        sa.Column("undone_by", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["readers.id"], name=op.f("fk_staff_actions_staff_id_readers")),
        sa.ForeignKeyConstraint(["subject_id"], ["readers.id"], name=op.f("fk_staff_actions_subject_id_readers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_actions")),
    )
    op.create_index("ix_staff_actions_subject_id_at", "staff_actions", ["subject_id", "at"])
    op.create_index("ix_staff_actions_staff_id_at", "staff_actions", ["staff_id", "at"])
    op.create_index("ix_staff_actions_at_id", "staff_actions", ["at", "id"])
    op.create_index(op.f("ix_staff_actions_thing"), "staff_actions", ["thing"])


def downgrade() -> None:
    op.drop_table("staff_actions")
    op.drop_table("grants")
