"""Roles of staff, their second factor and short sessions; what a content service's key is for"""

import sqlalchemy as sa
from alembic import op

revision = "0012_staff"
down_revision = "0011_privacy"
branch_labels = None
depends_on = None

_READERS = sa.table("readers", sa.column("role", sa.String))


def upgrade() -> None:
    op.execute(sa.update(_READERS).where(_READERS.c.role == "staff").values(role="admin"))
    with op.batch_alter_table("reader_sessions") as sessions:
        sessions.add_column(sa.Column("staff_seen_at", sa.DateTime(timezone=True), nullable=True))
        sessions.add_column(sa.Column("factor_passed_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("service_keys") as keys:
        keys.add_column(sa.Column("scope", sa.String(length=20), nullable=False, server_default="verify"))
    op.create_table(
        "second_factors",
        sa.Column("reader_id", sa.String(length=40), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tries_since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_second_factors_reader_id_readers")),
        sa.PrimaryKeyConstraint("reader_id", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("reader_id", sa.String(length=40), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_recovery_codes_reader_id_readers")),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_reader_id"), "recovery_codes", ["reader_id"])


def downgrade() -> None:
    op.drop_table("recovery_codes")
    op.drop_table("second_factors")
    with op.batch_alter_table("service_keys") as keys:
        keys.drop_column("scope")
    with op.batch_alter_table("reader_sessions") as sessions:
        sessions.drop_column("factor_passed_at")
        sessions.drop_column("staff_seen_at")
    op.execute(sa.update(_READERS).where(_READERS.c.role.is_not(None)).values(role="staff"))
