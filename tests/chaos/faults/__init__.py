"""The table of faults; one row more is one fault more, in the smoke test too."""

from tests.chaos.faults import clients, clock, fronts, instances, keepers, shortage, standing
from tests.chaos.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *fronts.FAULTS,
    *instances.FAULTS,
    *keepers.FAULTS,
    *standing.FAULTS,
    *shortage.FAULTS,
    *clients.FAULTS,
    *clock.FAULTS,
)
