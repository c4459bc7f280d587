#!/usr/bin/env python3
"""The start page: the programs of start.toml, which of them can run, what to do for the others, their source.

A plain CGI program: it answers once and is over.
"""

import os
import tomllib
from html import escape

from common.page import CLOSED, answer, beside, link, query
from common.start.ready import lacks
from common.start.source import answer_source, source_link, source_of

START = """<a class="skip" href="#{first}">Skip to the programs</a>
<p>A plain CGI program lives for one request. Here it may stay alive: one header in its answer,
<code>Accept-HTSession</code>, keeps its variables, open files and transactions for the next request of the same
visitor. These programs show what that is good for: open one, read its source, copy it.</p>
<nav aria-label="Kinds of programs">
{kinds}
</nav>
{groups}
<h2>Read on</h2>
<ul>
{reading}
</ul>
<p>This page is a program too: {own}.</p>"""
GROUP = """<section aria-labelledby="{name}">
<h2 id="{name}">{title}</h2>
<p>{text} {state}</p>
<ul class="programs">
{items}
</ul>
</section>"""
ITEM = """<li>{name} <small>{tag}</small>{source}
<span>{text}</span>{note}</li>"""


def start(table):
    groups = table["groups"]
    reading = "<li><code>{file}</code>\n<span>{text}</span></li>"
    body = START.format(
        first=escape(groups[0]["name"]),
        kinds="\n".join(link(f"#{words['name']}", words["title"]) for words in groups),
        groups="\n".join(group(words, table) for words in groups),
        reading="\n".join(
            reading.format(file=escape(one["file"]), text=escape(one["text"])) for one in table["reading"]
        ),
        own=source_link(table["page"]["file"], "its source"),
    )
    answer("Persistent CGI", body, "Cache-Control: no-cache", *CLOSED)


def group(words, table):
    states = [(program, lacks(program, table)) for program in words["programs"]]
    ready = sum(not missing for _, missing in states)
    return GROUP.format(
        name=escape(words["name"]),
        title=escape(words["title"]),
        text=escape(words["text"]),
        state="" if ready == len(states) else f"{ready} of {len(states)} are ready.",
        items="\n".join(item(program, missing) for program, missing in states),
    )


def item(program, missing):
    file, source, host = program["file"], source_of(program), program.get("host")
    way = program.get("way") or (f"returning to the {host} host" if host else "looping")
    shown = f" {source_link(source, 'source', f'source of {file}')}" if os.path.isfile(source) else ""
    return ITEM.format(
        name=f"<b>{escape(file)}</b>" if missing else link(beside(file), file),
        tag=escape(f"{program['language']}, {way}"),
        source=shown,
        text=escape(program["text"]),
        note=f'\n<span class="missing">{missing}</span>' if missing else "",
    )


if __name__ == "__main__":
    with open("start.toml", "rb") as file:
        table = tomllib.load(file)
    name = query().get("source")
    if name is None:
        start(table)
    else:
        answer_source(name, table)
