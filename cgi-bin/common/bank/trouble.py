"""What can go wrong with a database (SQLAlchemy need not be loaded to know it)."""


class Busy(Exception):
    """Somebody else has locked what was asked for, and did not let go in time."""


class Away(Exception):
    """The database cannot be reached, or was lost."""
