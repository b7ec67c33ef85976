"""The commands ``flask paywall keys``: those that sign tokens, made and ended as their page does it, and noted."""

from datetime import datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from paywall import context, second_factor
from paywall.errors import PaywallError
from paywall.staff import keys
from paywall.staff.doing import COMMAND
from paywall.storage.database import db
from paywall.tokens import keyring
from paywall.tokens.keylife import KeyLife

keys_cli = AppGroup("keys", help="Keys that sign access tokens.")


@keys_cli.command("generate")
def generate_key() -> None:
    """Make a key; the first signs at once, a later one when verifiers have had time to learn it."""
    try:
        row = keys.make_signing(COMMAND, context.now())
    except PaywallError as error:
        raise click.ClickException(error.message) from None
    db.session.commit()
    click.echo(f"{row.kid} signs from {_shown(row.signs_from)}")


@keys_cli.command("rotate")
def rotate_key() -> None:
    """Make the next key, unless one waits already; when it signs, the one before retires by itself."""
    try:
        row, made = keys.rotate_signing(COMMAND, context.now())
    except PaywallError as error:
        raise click.ClickException(error.message) from None
    click.echo(f"{row.kid} {'signs' if made else 'was made before and signs'} from {_shown(row.signs_from)}")


@keys_cli.command("list")
def list_keys() -> None:
    """Show all keys, the newest first: published, signing, retired (still verifies), gone."""
    now = context.now()
    for life in keyring.every_life():
        click.echo(f"{life.row.kid}  {life.state(now):9}  {_moments(life)}")


@keys_cli.command("retire")
@click.argument("kid")
@click.option("--withdraw", is_flag=True, help="Remove it at once: every token that it signed is refused.")
def retire_key(kid: str, withdraw: bool) -> None:
    """Stop signing with the key KID; its tokens stay valid and can be renewed."""
    try:
        keys.end_signing(kid, withdraw, COMMAND, context.now())
    except PaywallError as error:
        raise click.ClickException(error.message) from None
    click.echo(f"{kid} {'withdrawn' if withdraw else 'retired'}")


@keys_cli.command("reseal")
@click.option(
    "--old-key-file",
    metavar="FILE",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that holds the encryption key of before.",
)
def reseal_keys(old_key_file: Path) -> None:
    """Encrypt private keys and staff's second factors with the tokens.encryption_key of now, after it was changed."""
    try:
        old = old_key_file.read_text(encoding="utf-8").strip()
        count = keyring.reseal(old) + second_factor.reseal(old)
    except (PaywallError, UnicodeDecodeError):
        raise click.ClickException("Neither this key nor that of the settings opens a stored key.") from None
    db.session.commit()
    click.echo(f"{count} encrypted anew")


def _moments(life: KeyLife) -> str:
    """When each part of the key's life begins, as far as it is known."""
    moments = {
        "published": life.row.created_at,
        "signs": life.signs_from,
        "retires": life.retired_at,
        "gone": life.gone_at,
    }
    return "  ".join(f"{name} {_shown(moment)}" for name, moment in moments.items() if moment is not None)


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%SZ")
