"""What paid an invoice, refunds, disputes; what is due to change by time"""

import sqlalchemy as sa
from alembic import op

revision = "0003_money_back"
down_revision = "0002"
branch_labels = None
depends_on = None

_RUNNING = sa.text("state IN ('active', 'grace', 'suspended')")
_AWAITED = sa.text("state = 'pending'")


def upgrade() -> None:
    with op.batch_alter_table("payments") as batch_op:
        batch_op.add_column(sa.Column("tax", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("payments") as batch_op:
        batch_op.alter_column("tax", server_default=None)
    op.create_table(
        "invoice_payments",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("invoice_id", sa.String(length=255), nullable=False),
        sa.Column("subscription_id", sa.String(length=255), nullable=False),
        sa.Column("payment_intent_id", sa.String(length=255), nullable=True),
        sa.Column("charge_id", sa.String(length=255), nullable=True),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("fk_invoice_payments_subscription_id_subscriptions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_payments")),
    )
    for column in ("invoice_id", "subscription_id", "payment_intent_id", "charge_id"):
        op.create_index(op.f(f"ix_invoice_payments_{column}"), "invoice_payments", [column])
    _create_cases("refunds")
    _create_cases("disputes", sa.Column("reason", sa.String(length=100), nullable=False))
    op.create_index(
        "ix_entitlements_running", "entitlements", ["until"], sqlite_where=_RUNNING, postgresql_where=_RUNNING
    )
    op.create_index(
        "ix_entitlements_awaited", "entitlements", ["starts_at"], sqlite_where=_AWAITED, postgresql_where=_AWAITED
    )


def _create_cases(table: str, *more: sa.Column) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("subscription_id", sa.String(length=255), nullable=False),
        sa.Column("invoice_id", sa.String(length=255), nullable=False),
        sa.Column("payment_intent_id", sa.String(length=255), nullable=True),
        sa.Column("charge_id", sa.String(length=255), nullable=True),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=False),
        *more,
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f(f"fk_{table}_subscription_id_subscriptions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_invoice_id"), table, ["invoice_id"])
    op.create_index(op.f(f"ix_{table}_subscription_id"), table, ["subscription_id"])


def downgrade() -> None:
    op.drop_index("ix_entitlements_awaited", table_name="entitlements")
    op.drop_index("ix_entitlements_running", table_name="entitlements")
    for table in ("disputes", "refunds", "invoice_payments"):
        op.drop_table(table)
    with op.batch_alter_table("payments") as batch_op:
        batch_op.drop_column("tax")
