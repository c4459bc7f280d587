"""Section `memory`: what an idle hosted session takes, cold and warm."""

import os
import tempfile
from pathlib import Path

from bench import programs, servers
from bench.options import Missing, Options, verdict
from bench.programs import Program
from bench.sessions import Session, call, create, end, warm_up

GOAL = 1.3  # MiB of proportional memory (Pss) of an idle Python session, warm
_KIB = 1024


def run(options: Options) -> None:
    """Hold sessions that have answered twice, and read what their processes take. Raises Missing."""
    if not os.path.exists("/proc/self/smaps_rollup"):
        raise Missing("/proc/PID/smaps_rollup is missing (Linux 4.14 has it)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"memory of an idle session, mean of {options.sessions}, in MiB: proportional (Pss), private")
        programs.write(folder)
        python = [programs.COUNTING, programs.PYTHON_COUNTER]
        found = programs.present(folder, [*python, programs.PERL_COUNTER, programs.C_COUNTER])
        with servers.hosted(folder) as port:
            for program in found:
                _tell(port, program, options.sessions, goal=program in python)


def _tell(port: int, program: Program, count: int, *, goal: bool) -> None:
    told = []
    warm_up(port, program)
    for way in ("cold", "warm"):
        made = create(port, way, program, count)
        made = call(port, made)
        figures = [_memory(session) for session in made]
        end(port, made)
        pss, private = (sum(column) / count / _KIB for column in zip(*figures, strict=True))
        told.append(f"{way} {pss:5.2f} {private:5.2f}")
    met = f"; {verdict(pss <= GOAL, f'{GOAL:g}')}" if goal else ""
    print(f"  {program.label:18}: {'   '.join(told)}{met}", flush=True)


def _memory(session: Session) -> tuple[int, int]:
    """Proportional and private memory in KiB (proc(5), smaps)."""
    fields: dict[str, int] = {}
    for line in Path(f"/proc/{session.pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if rest.endswith(" kB"):
            fields[name] = int(rest.split()[0])
    return fields["Pss"], fields["Private_Clean"] + fields["Private_Dirty"]
