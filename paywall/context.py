"""What a request works with wherever it is: the settings and the clock, kept on the application."""

from dataclasses import dataclass
from datetime import datetime

from flask import current_app

from paywall.clock import Clock
from paywall.settings import Settings


@dataclass(frozen=True)
class Surroundings:
    """What ``create_app`` was given."""

    settings: Settings
    clock: Clock


def settings() -> Settings:
    """The settings of the running application."""
    return _surroundings().settings


def now() -> datetime:
    """The present moment of the running application."""
    return _surroundings().clock.now()


def _surroundings() -> Surroundings:
    found: Surroundings = current_app.extensions["paywall"]
    return found
