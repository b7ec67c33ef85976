"""Devices: what a session calls its browser, when it was last used; changes of address, and former addresses"""

import sqlalchemy as sa
from alembic import op

revision = "0010_account"
down_revision = "0009_letters"
branch_labels = None
depends_on = None

_TO_TELL = sa.text("tell_at IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("reader_sessions") as sessions:
        sessions.add_column(sa.Column("label", sa.String(length=60), nullable=True))
        sessions.add_column(sa.Column("seen_on", sa.Date(), nullable=True))
    op.create_table(
        "address_changes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("reader_id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_normalised", sa.String(length=320), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tell_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_address_changes_reader_id_readers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_changes")),
    )
    op.create_index(op.f("ix_address_changes_reader_id"), "address_changes", ["reader_id"])
    op.create_index(op.f("ix_address_changes_expires_at"), "address_changes", ["expires_at"])
    only = {"sqlite_where": _TO_TELL, "postgresql_where": _TO_TELL}
    op.create_index("ix_address_changes_tell_at", "address_changes", ["tell_at"], **only)
    op.create_table(
        "former_addresses",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("reader_id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_normalised", sa.String(length=320), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_former_addresses_reader_id_readers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_addresses")),
    )
    op.create_index(op.f("ix_former_addresses_reader_id"), "former_addresses", ["reader_id"])
    op.create_index(op.f("ix_former_addresses_email_normalised"), "former_addresses", ["email_normalised"])


def downgrade() -> None:
    op.drop_table("former_addresses")
    op.drop_table("address_changes")
    with op.batch_alter_table("reader_sessions") as sessions:
        sessions.drop_column("seen_on")
        sessions.drop_column("label")
