"""What a letter is about: whose it is, its facts; the periods of which a reader was reminded"""

import sqlalchemy as sa
from alembic import op

revision = "0009_letters"
down_revision = "0008_sign_in"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("letters") as letters:
        letters.alter_column("cause", existing_type=sa.String(80), type_=sa.String(400), existing_nullable=False)
        letters.add_column(sa.Column("reader_id", sa.String(length=40), nullable=True))
        letters.add_column(sa.Column("facts", sa.JSON(), nullable=True))
    op.create_index(op.f("ix_letters_reader_id"), "letters", ["reader_id"])
    op.create_table(
        "reminders",
        sa.Column("subscription_id", sa.String(length=255), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subscription_id", name=op.f("pk_reminders")),
    )


def downgrade() -> None:
    op.drop_table("reminders")
    op.drop_index(op.f("ix_letters_reader_id"), table_name="letters")
    with op.batch_alter_table("letters") as letters:
        letters.drop_column("facts")
        letters.drop_column("reader_id")
        # a cause may be longer by now, and only tells letters apart that were asked for twice
        letters.alter_column("cause", existing_type=sa.String(400), type_=sa.String(80), existing_nullable=False)
