"""One person in one account, and out of it: readers who were joined, purchases that were moved, erasures"""

import sqlalchemy as sa
from alembic import op

revision = "0011_privacy"
down_revision = "0010_account"
branch_labels = None
depends_on = None

_NAMED = (("subscription_id", "subscriptions"), ("from_reader_id", "readers"), ("to_reader_id", "readers"))


def upgrade() -> None:
    op.create_table(
        "reader_aliases",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("reader_id", sa.String(length=40), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["readers.id"], name=op.f("fk_reader_aliases_id_readers")),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_reader_aliases_reader_id_readers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reader_aliases")),
    )
    op.create_index(op.f("ix_reader_aliases_reader_id"), "reader_aliases", ["reader_id"])
    unsettled = sa.text("settled_at IS NULL")
    only = {"sqlite_where": unsettled, "postgresql_where": unsettled}
    op.create_index("ix_reader_aliases_unsettled", "reader_aliases", ["id"], **only)
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("reader_id", sa.String(length=40), nullable=False),
        sa.Column("asked_by", sa.String(length=20), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_erasures_reader_id_readers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
        sa.UniqueConstraint("reader_id", name=op.f("uq_erasures_reader_id")),
    )
    undone = sa.text("done_at IS NULL")
    only = {"sqlite_where": undone, "postgresql_where": undone}
    op.create_index("ix_erasures_undone", "erasures", ["asked_at"], **only)
    op.create_table(
        "purchase_moves",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("subscription_id", sa.String(length=255), nullable=False),
        sa.Column("from_reader_id", sa.String(length=40), nullable=False),
        sa.Column("to_reader_id", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_purchase_moves_{column}_{table}"))
            for column, table in _NAMED
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_moves")),
    )
    for column, _ in _NAMED:
        op.create_index(op.f(f"ix_purchase_moves_{column}"), "purchase_moves", [column])


def downgrade() -> None:
    op.drop_table("purchase_moves")
    op.drop_table("erasures")
    op.drop_table("reader_aliases")
