"""Use: numbers of what tokens were used for, by day, content service, kind and features"""

import sqlalchemy as sa
from alembic import op

revision = "0015_use"
down_revision = "0014_money"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "use_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("service_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("features", sa.String(length=200), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "service_id", "kind", "features", name=op.f("pk_use_counts")),
    )


def downgrade() -> None:
    op.drop_table("use_counts")
