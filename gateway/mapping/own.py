"""Which answers of the gateway's own a configuration asks for."""

from gateway.configuration.load import Configuration
from gateway.directives import table
from gateway.directives.foreign.handlers import PAGES


def asked_for(configuration: Configuration) -> set[str]:
    """The handlers of OwnPage that some SetHandler names, wherever it stands."""
    found: set[str | None] = set()
    for host in (configuration.server, *configuration.hosts):
        found.add(host.settings[table.SetHandler])
        for section in (*host.directories, *host.files, *host.locations):
            found |= {inner.settings[table.SetHandler] for inner in (section, *section.files)}
    return {name for name in found if name in PAGES}
