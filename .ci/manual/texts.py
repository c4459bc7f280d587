"""What the parser cannot know of the command: signals, files, environment, exit status. Rows of a term and its
text (Markdown)."""

Rows = tuple[tuple[str, str], ...]

DESCRIPTION = """\
A CGI program may answer with `Accept-HTSession: handle`. The gateway then keeps its process, with its
variables, open files and database transaction, and leads `/path/cgi-name/handle/…` back to it. Programs that
know nothing of this run as under any CGI server. The settings stand in a directives file in Apache's syntax,
gateway.conf(5).

`gateway serve` becomes the keeper, a process that starts and ends every program, and starts the front, the
process that speaks HTTP. The commands `status`, `sessions`, `show`, `end`, `extend` and `drain` ask the front
through the control socket; `reload` and `stop` signal the keeper."""

FINDING = """\
For the commands that ask or signal a gateway that runs. They find its control socket through the directives
file (`ControlSocket`, else `control` in the state directory) or are told by `--socket`."""

SIGNALS: Rows = (
    (
        "HUP",
        "Reload: a new front reads the directives file and takes over every session. With a problem in the "
        "file the old settings stay.",
    ),
    (
        "TERM, INT",
        "Stop: new requests get 503, running ones may finish within `GracefulShutdownTimeout`, every session "
        "ends. A second one does not wait.",
    ),
    ("USR1", "Open the logs anew, after logrotate has moved them."),
)

FILES: Rows = (
    ("conf/gateway.conf", "The directives file, where neither the command nor `GATEWAY_CONF` names one."),
    (
        "state/handle.key",
        "The key that handles are made with, below `ServerRoot` or in `$STATE_DIRECTORY`; mode 0600, made on "
        "first use.",
    ),
    ("state/control", "The control socket (`ControlSocket`); only the gateway's user and root may connect."),
)

ENVIRONMENT: Rows = (
    ("GATEWAY_CONF", "The directives file, where the command names none."),
    ("STATE_DIRECTORY", "The folder of `handle.key` and `control`; systemd sets it."),
    ("NOTIFY_SOCKET, WATCHDOG_USEC", "The service manager's, sd_notify(3)."),
    ("NO_COLOR", "If it is set and not empty the tables have no colours."),
    (
        "any other",
        "`${NAME}` in the directives file is replaced by its value, unless a `Define` has the name.",
    ),
)

EXIT_STATUS: Rows = (
    ("0", "Done; `serve` was told to stop, and has."),
    (
        "1",
        "No: a problem in the directives file (of `check --strict` a notice too), an unknown ID, a bound; of "
        "`serve` also that no front could be started.",
    ),
    ("2", "No gateway is reached, or the command line is wrong."),
)
