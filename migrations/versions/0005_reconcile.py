"""Our rows in the order in which Stripe lists its objects"""

from alembic import op

revision = "0005_reconcile"
down_revision = "0004_worker"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_subscriptions_created_at_id", "subscriptions", ["created_at", "id"])
    for table in ("refunds", "disputes"):
        op.create_index(op.f(f"ix_{table}_created_at"), table, ["created_at"])


def downgrade() -> None:
    for table in ("disputes", "refunds"):
        op.drop_index(op.f(f"ix_{table}_created_at"), table_name=table)
    op.drop_index("ix_subscriptions_created_at_id", table_name="subscriptions")
