"""`flask paywall revocations`."""

from paywall.storage import revocations
from paywall.storage.database import db
from paywall.tokens.commands import revocations_cli


def test_a_new_epoch_of_the_revocations_is_kept(app):
    assert app.test_cli_runner().invoke(revocations_cli, ["renew-epoch"]).exit_code == 0
    db.session.rollback()
    assert revocations.epoch(db.session)
