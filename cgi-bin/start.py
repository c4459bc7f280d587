#!/usr/bin/env python3
"""The start page: the programs of start.toml, which of them can run, and what to do for the others.

A plain CGI program: it answers once and is over.
"""

import os
import shutil
import tomllib
from html import escape
from urllib.parse import quote

ITEM = """<li>{name} <small>{tag}</small>
<span>{text}</span>{note}</li>"""
GROUP = """<h2>{title}</h2>
<p>{text} {state}</p>
<ul>
{items}
</ul>"""
PAGE = """Content-Type: text/html; charset=utf-8
Cache-Control: no-cache

<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Persistent CGI</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>Persistent CGI</h1>
<p>A plain CGI program lives for one request. Here it may stay alive: one header in its answer,
<code>Accept-HTSession</code>, keeps its variables, open files and transactions for the next request of the same
visitor.</p>
{groups}
<h2>Go on</h2>
<ul>
{reading}
</ul>
</main>
</body>
</html>"""


def lacks(program, packages):
    """What keeps a program from running, in HTML; nothing when it is ready."""
    file, interpreter = program["file"], program.get("interpreter")
    if not os.path.isfile(file):
        return unbuilt(program.get("compiler"), packages)
    if interpreter and not shutil.which(interpreter):
        return f"Its interpreter is missing: {install(packages[interpreter])}"
    if not os.access(file, os.R_OK if "host" in program else os.X_OK):
        return f"It may not be run: <kbd>chmod +rx {escape(file)}</kbd>"
    return ""


def unbuilt(compiler, packages):
    if compiler is None:
        return "The file is missing."
    first = "run " if shutil.which(compiler) else f"{install(packages[compiler])}, then "
    return f"Not built: {first}<kbd>make programs</kbd>"


def install(package):
    return f"<kbd>apt-get install {escape(package)}</kbd> (on Debian)"


def item(program, missing, folder):
    file = escape(program["file"])
    host = program.get("host")
    return ITEM.format(
        name=f"<b>{file}</b>" if missing else f'<a href="{folder}{quote(program["file"])}">{file}</a>',
        tag=escape(f"{program['language']}, {f'returning to the {host} host' if host else 'looping'}"),
        text=escape(program["text"]),
        note=f'\n<span class="missing">{missing}</span>' if missing else "",
    )


def group(words, packages, folder):
    states = [(program, lacks(program, packages)) for program in words["programs"]]
    ready = sum(not missing for _, missing in states)
    return GROUP.format(
        title=escape(words["title"]),
        text=escape(words["text"]),
        state="" if ready == len(states) else f"{ready} of {len(states)} are ready.",
        items="\n".join(item(program, missing, folder) for program, missing in states),
    )


if __name__ == "__main__":
    with open("start.toml", "rb") as file:
        table = tomllib.load(file)
    beside = escape(quote(os.path.dirname(os.fsencode(os.environ["SCRIPT_NAME"])).rstrip(b"/") + b"/"))
    print(PAGE.format(
        groups="\n".join(group(words, table["packages"], beside) for words in table["groups"]),
        reading="\n".join(f"<li><code>{escape(one['file'])}</code>\n<span>{escape(one['text'])}</span></li>"
                          for one in table["reading"]),
    ))  # fmt: skip
