"""Every fault of `make chaos`, beside a few sessions: nothing is lost, wrong, mixed or left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blackbox.users import open_folder
from tests.chaos import report, series
from tests.chaos.faults import FAULTS
from tests.chaos.faults.fault import Fault
from tests.chaos.scene import compiled

pytestmark = [pytest.mark.faults, pytest.mark.needs("gcc", "perl", "setpriv", "prlimit", "faketime", "mount")]

SESSIONS = 12


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("native"))


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.smoke], ids=lambda fault: fault.name)
def test_a_fault_under_load_costs_only_what_it_met(fault: Fault, native: Path) -> None:
    if missing := fault.missing():
        pytest.skip(missing)
    with open_folder() as folder:
        outcome = series.run(fault, folder / fault.name, native, fault.smoke, SESSIONS, seed=7)
    print(report.row(outcome))
    assert outcome.good, "\n".join(outcome.failures)
