"""Codes beside the mailed links: how many were typed, and how many may be"""

import sqlalchemy as sa
from alembic import op

revision = "0008_sign_in"
down_revision = "0006_indexes"
branch_labels = None
depends_on = None

_COLUMNS = ("tries", "tries_allowed")


def upgrade() -> None:
    # links that were mailed before have no code: none may be typed
    with op.batch_alter_table("sign_in_links") as links:
        for name in _COLUMNS:
            links.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("sign_in_links") as links:
        for name in _COLUMNS:
            links.alter_column(name, existing_type=sa.Integer(), existing_nullable=False, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("sign_in_links") as links:
        for name in reversed(_COLUMNS):
            links.drop_column(name)
