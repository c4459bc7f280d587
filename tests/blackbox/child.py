#!/usr/bin/env python3
"""The program of the black-box tests: does, in order, what each request's query says. Plain and looping CGI.

Verbs, separated by `&`, values percent-decoded (`handle=@` is HTSESSION_NEXT_HANDLE):
handle=H timeout=N header=Name:+value status=S blank line: `head` (written before the first body verb by
itself); echo=text count env=NAME environ body (echo of the request body) size=N (N bytes of `x`) flush
raw=text (no head) mark (the end mark; written at the end by itself when the response had a handle, unless
`nomark`) nomark stay (live on) again=PATH (Location: with this query) exit=N kill=SIGNAL sleep=S
stderr=text late=text (after the mark) drain (read the body)
noread (leave the frame's body unread) wait=PATH (until the file exists) touch=PATH close (close stdout)
fork=S (a background child that keeps stdout) ignore (SIGTERM) forever (write without end) silent (no output).
background=S (a child that keeps nothing; writes its pid) inherited=text (written by a child to the same stdout)
cat (the body, piece by piece as it comes) digest (length and SHA-256 of the body) decoys (beginnings of the end
mark) halfmark=PATH (text and half the mark at once, the rest when the file exists) latewait=PATH (`late` waits
for the file) pending (whether a request is in the pipe) diary=PATH (notes `eof` and `term` when they come)
linger (stay after end of file on the request pipe).

It is started many hundred times: what few verbs need is imported by them.
"""

import os
import sys
import time

END = os.environ["HTSESSION_END"].encode()
REQUESTS = os.fdopen(int(os.environ["HTSESSION_FD"]), "rb", buffering=0)
counter = 0
out = sys.stdout.buffer
diary, lingering, ignoring = os.devnull, False, False


def decoded(value, encoding):
    first, *rest = os.fsencode(value.replace("+", " ")).split(b"%")
    data = first + b"".join(bytes.fromhex(part[:2].decode()) + part[2:] for part in rest)
    return data.decode(encoding, "replace")


def note(event):
    with open(diary, "a") as file:
        file.write(event + "\n")


def on_term(number, frame):
    note("term")
    if not ignoring:
        os._exit(0)


def await_file(path):
    while not os.path.exists(path):
        time.sleep(0.01)


def read(count):
    data = b""
    while len(data) < count:
        more = REQUESTS.read(count - len(data))
        if not more:
            break
        data += more
    return data


def next_request():
    size = b""
    while (digit := read(1)) not in (b":", b""):
        size += digit
    if not size:
        return None
    fields = os.fsdecode(read(int(size))).split("\0")[:-1]
    read(1)
    pairs = dict(zip(fields[::2], fields[1::2]))
    if pairs["HTSESSION_END"].encode() != END:
        sys.exit(9)
    return pairs


class Call:
    def __init__(self, variables, source):
        self.variables, self.source = variables, source
        self.headers, self.headed, self.handled, self.marked = [], False, False, True
        self.late, self.left = b"", int(variables.get("CONTENT_LENGTH") or 0)
        self.late_when = None
        self.some = REQUESTS.read if source is read else sys.stdin.buffer.read1

    def pieces(self):
        while self.left and (data := self.some(min(self.left, 65536))):
            self.left -= len(data)
            yield data

    def body(self):
        data = self.source(self.left) if self.left else b""
        self.left = 0
        return data

    def head(self):
        if not self.headed:
            self.headed = True
            names = [line.split(":")[0].lower() for line in self.headers]
            if "content-type" not in names and "location" not in names:
                self.headers.append("Content-Type: text/plain")
            out.write(("\n".join(self.headers) + "\n\n").encode())

    def write(self, data):
        self.head()
        out.write(data if isinstance(data, bytes) else data.encode())

    def run(self, verb, value):
        if verb == "handle":
            self.handled = True
            handle = os.environ["HTSESSION_NEXT_HANDLE"] if value == "@" else value
            handle = self.variables.get("HTSESSION_NEXT_HANDLE", handle) if value == "@" else handle
            self.headers.append("Accept-HTSession: " + handle)
        elif verb == "timeout":
            self.headers.append("HTTimeout: " + value)
        elif verb == "header":
            self.headers.append(value)
        elif verb == "status":
            self.headers.append("Status: " + value)
        elif verb == "head":
            self.head()
        elif verb == "echo":
            self.write(value)
        elif verb == "count":
            self.write("count=%d pid=%d\n" % (counter, os.getpid()))
        elif verb == "env":
            self.write("%s=%s\n" % (value, self.variables.get(value, "<absent>")))
        elif verb == "environ":
            self.write("".join("%s=%s\n" % pair for pair in sorted(self.variables.items())))
        elif verb == "body":
            self.write(self.body())
        elif verb == "drain":
            self.body()
        elif verb == "noread":
            self.left = 0
        elif verb == "size":
            self.head()
            left = int(value)
            while left:
                out.write(b"x" * min(left, 65536))
                left -= min(left, 65536)
        elif verb == "flush":
            out.flush()
        elif verb == "raw":
            self.headed = True
            out.write(value.encode("latin-1"))
        elif verb == "nomark":
            self.marked = False
        elif verb == "again":
            self.headers.append("Location: %s?%s" % (value, self.variables["QUERY_STRING"]))
        elif verb == "stay":
            self.handled = True
        elif verb == "mark":
            out.write(b"\4" + END + b"\n")
        elif verb == "late":
            self.late = value.encode()
        elif verb == "exit":
            out.flush()
            os._exit(int(value))
        elif verb == "kill":
            import signal

            out.flush()
            os.kill(os.getpid(), getattr(signal, "SIG" + value))
            signal.pause()
        elif verb == "sleep":
            out.flush()
            time.sleep(float(value))
        elif verb == "stderr":
            sys.stderr.write(value + "\n")
            sys.stderr.flush()
        elif verb == "wait":
            out.flush()
            await_file(value)
        elif verb == "touch":
            out.flush()
            open(value, "w").close()
        elif verb == "close":
            out.flush()
            os.close(1)
        elif verb == "fork":
            import subprocess

            subprocess.Popen(["sleep", value], close_fds=False)
        elif verb == "background":
            import subprocess

            null = subprocess.DEVNULL
            self.write(
                "background=%d\n" % subprocess.Popen(["sleep", value], stdin=null, stdout=null, stderr=null).pid
            )
        elif verb == "inherited":
            import subprocess

            self.head()
            out.flush()
            subprocess.run(["printf", "%s", value], check=True)
        elif verb == "cat":
            for data in self.pieces():
                self.write(data)
                out.flush()
        elif verb == "digest":
            import hashlib

            length, digest = 0, hashlib.sha256()
            for data in self.pieces():
                length += len(data)
                digest.update(data)
            self.write("length=%d sha256=%s\n" % (length, digest.hexdigest()))
        elif verb == "decoys":
            self.write(b"\4" + END + b"x\4\4" + END[:-1] + b"\n\4" + END + b"\r\n" + END + b"\n\4")
        elif verb == "halfmark":
            self.head()
            out.flush()
            os.write(1, b"half" + b"\4" + END[:16])
            await_file(value)
            os.write(1, END[16:] + b"\n")
            self.marked = False
        elif verb == "latewait":
            self.late_when = value
        elif verb == "pending":
            import select

            self.write("pending=%d\n" % len(select.select([REQUESTS], [], [], 0)[0]))
        elif verb == "diary":
            import signal

            globals()["diary"] = value
            signal.signal(signal.SIGTERM, on_term)
        elif verb == "linger":
            globals()["lingering"] = True
        elif verb == "ignore":
            import signal

            globals()["ignoring"] = True
            signal.signal(signal.SIGTERM, signal.SIG_IGN if diary == os.devnull else on_term)
        elif verb == "forever":
            while True:
                self.write(b"y" * 65536)
        elif verb == "silent":
            self.headed = True
        else:
            sys.exit("unknown verb " + verb)

    def perform(self):
        for part in filter(None, self.variables.get("QUERY_STRING", "").split("&")):
            verb, _, value = part.partition("=")
            self.run(verb, decoded(value, "latin-1" if verb == "raw" else "utf-8"))
        self.head()
        if self.handled or self.variables is not os.environ:
            self.body()
            if self.marked:
                out.write(b"\4" + END + b"\n")
        if self.late_when:
            out.flush()
            await_file(self.late_when)
        out.write(self.late)
        out.flush()


variables, source = os.environ, sys.stdin.buffer.read
while variables is not None:
    counter += 1
    call = Call(variables, source)
    call.perform()
    if not call.handled and variables is os.environ:
        break
    variables, source = next_request(), read
if variables is None:
    note("eof")
    if lingering:
        import signal

        while True:
            signal.pause()
