"""Short leases: who works on a thing now, kept across network calls without holding a database lock."""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update

from paywall.storage.database import db, insert_for
from paywall.storage.models import Lease

# no lease lives so long: one that ends later was taken by a clock that was ahead
_FAR = timedelta(hours=1)


def take(name: str, owner: str, now: datetime, expires_at: datetime) -> bool:
    """Takes the lease if it is free or has expired; True if it is now ``owner``'s. Commits."""
    free = or_(Lease.expires_at <= now, Lease.expires_at > expires_at + _FAR)
    values = {"owner": owner, "expires_at": expires_at}
    statement = insert_for(Lease).values(name=name, **values)
    statement = statement.on_conflict_do_update(index_elements=["name"], set_=values, where=free)
    taken = db.session.execute(statement.returning(Lease.owner)).scalar()
    db.session.commit()
    return taken == owner


def still_held(name: str, owner: str) -> bool:
    """Whether the lease is still the owner's; keeps it so until the transaction ends."""
    query = select(Lease.owner).where(Lease.name == name).with_for_update()
    return db.session.scalar(query) == owner


def extend(name: str, owner: str, expires_at: datetime) -> bool:
    """Moves the end of a lease that is still the owner's; True if it is. Commits nothing."""
    mine = Lease.name == name, Lease.owner == owner
    statement = update(Lease).where(*mine).values(expires_at=expires_at).returning(Lease.name)
    return db.session.execute(statement).first() is not None


def give_back(name: str, owner: str) -> None:
    """Frees the lease if it is the owner's. Commits nothing."""
    db.session.execute(delete(Lease).where(Lease.name == name, Lease.owner == owner))
