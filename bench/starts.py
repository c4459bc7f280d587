"""Section `starts`: one-shot scripts, cold and warm in this gateway, beside mod_cgid executing it."""

import tempfile
from pathlib import Path
from statistics import median

from bench import apache, load, programs, servers
from bench.options import Options, spread, verdict
from bench.programs import Program

GOAL = 6.0  # times mod_cgid's requests per second, for small Python scripts
CONNECTIONS = [1, 8]
_QUERY = "?end"  # the counter begins no session then
_WARM_UP = 2 * servers.READY  # requests: the processes that come then know the compiled script


def run(options: Options) -> None:
    """Print requests per second, and of each round the ratio of warm starts to mod_cgid. Raises Missing."""
    wrk = load.find_wrk()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with apache.cgid(folder) as theirs:
            print("one-shot scripts, requests/s: median (lowest to highest)")
            programs.write(folder)
            wanted = [programs.PYTHON, programs.FORM, programs.PERL, programs.CGI_PM, programs.C_COUNTER]
            found = programs.present(folder, wanted)
            with servers.hosted(folder) as ours:
                for program in found:
                    places = {
                        "mod_cgid": (theirs, f"/cgi-bin/{program.plain}{_QUERY}"),
                        "cold": (ours, f"/cold/{program.file}{_QUERY}"),
                        "warm": (ours, f"/warm/{program.file}{_QUERY}"),
                    }
                    for connections in options.connections or CONNECTIONS:
                        rates = _measure(wrk, folder, places, connections, options)
                        _tell(program, connections, rates)


def _measure(
    wrk: str, folder: Path, places: dict[str, tuple[int, str]], connections: int, options: Options
) -> dict[str, list[float]]:
    """Requests per second of each round, the places in turns."""
    rates: dict[str, list[float]] = {way: [] for way in places}
    for port, path in places.values():
        load.ask(port, [path] * _WARM_UP)
    for _ in range(options.rounds):
        for way, (port, path) in places.items():
            result = load.run(wrk, folder, port, [path], connections, options.seconds, beside=False)
            if result.errors:
                raise SystemExit(f"bench: {result.errors} answers of {way} to {path} were errors")
            rates[way].append(result.rate)
    return rates


def _tell(program: Program, connections: int, rates: dict[str, list[float]]) -> None:
    ratios = [warm / theirs for warm, theirs in zip(rates["warm"], rates["mod_cgid"], strict=True)]
    told = "  ".join(f"{way} {spread(found):18}" for way, found in rates.items())
    goal = (
        f"; {verdict(median(ratios) >= GOAL, f'{GOAL:g}')}"
        if program in (programs.PYTHON, programs.FORM)
        else ""
    )
    print(
        f"  {program.label:14} {connections:2d} conn.: {told}  warm/mod_cgid {spread(ratios, 1)}{goal}",
        flush=True,
    )
