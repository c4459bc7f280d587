#!/usr/bin/env bash
# STARTER: greets. A plain CGI program: started for a request, gone with its end.

decode() {    # a form's value: + is a blank, %XX a byte
    local text=${1//\\/\\\\}
    text=${text//+/ }
    printf '%b' "${text//%/\\x}"
}

escape() {
    local text=${1//'&'/'&amp;'}
    text=${text//'<'/'&lt;'} text=${text//\"/'&quot;'}
    printf '%s' "${text//\'/'&#39;'}"
}

name='nobody yet'
if [[ $QUERY_STRING == name=* ]]; then
    name=${QUERY_STRING#name=}
    name=$(decode "${name%%&*}")
fi

# the header, a blank line, then the page; the program's end is the end of the page
cat <<PAGE
Content-Type: text/html; charset=utf-8

<!doctype html>
<html lang="en"><meta charset="utf-8"><title>STARTER</title>
<h1>Hello, $(escape "$name")</h1>
<form action="$(escape "$SCRIPT_NAME")">
<input name="name" maxlength="80" autofocus> <button>Greet</button>
</form></html>
PAGE
