"""Money to come: until when cards last, what is owed and tried again; failed renewals; months as Stripe tells them"""

import sqlalchemy as sa
from alembic import op

revision = "0014_money"
down_revision = "0013_grants"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("card_ends_on", sa.Date(), nullable=True))
    op.create_table(
        "owed",
        sa.Column("invoice_id", sa.String(length=255), nullable=False),
        sa.Column("subscription_id", sa.String(length=255), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("fk_owed_subscription_id_subscriptions")
        ),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_owed")),
    )
    op.create_index(op.f("ix_owed_subscription_id"), "owed", ["subscription_id"])
    op.create_table(
        "stripe_months",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("charged", sa.BigInteger(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.Column("disputed", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("month", "currency", name=op.f("pk_stripe_months")),
    )
    only = {"sqlite_where": sa.text("in_dunning = 1"), "postgresql_where": sa.text("in_dunning")}
    op.create_index("ix_ledger_dunning", "ledger", ["paid_until", "entitlement_id"], **only)


def downgrade() -> None:
    op.drop_index("ix_ledger_dunning", "ledger")
    op.drop_table("stripe_months")
    op.drop_table("owed")
    with op.batch_alter_table("subscriptions") as subscriptions:
        subscriptions.drop_column("card_ends_on")
