#!/usr/bin/env bash
# Counts its own visits in a Bash variable: a looping program, with the library for Bash.
# Each page carries a handle of its own, so that an older one, by the Back button, is told to be out of date.
. "${HTSESSION_LIB:-../gateway/helpers}/htsession.bash"

escape() {
    local text=${1//'&'/'&amp;'}
    text=${text//'<'/'&lt;'}
    text=${text//'>'/'&gt;'}
    text=${text//\"/'&quot;'}
    printf '%s' "${text//\'/'&#x27;'}"
}

# The value of a form field, decoded: + is a blank, %XX a byte.
decode() {
    local text=${1//\\/\\\\}
    text=${text//+/ }
    printf '%b' "${text//%/\\x}"
}

count=0 note=''
while htsession_accept; do
    count=$((count + 1))
    IFS= read -r -N 4096 form
    if [[ $form == note=* ]]; then
        form=${form#note=}
        note=$(decode "${form%%&*}")
    fi
    handle=$HTSESSION_NEXT_HANDLE
    start=$(escape "$SCRIPT_NAME") text=$(escape "$note")

    [[ $QUERY_STRING == end ]] || printf 'Accept-HTSession: %s\n' "$handle"
    cat <<PAGE
Content-Type: text/html; charset=utf-8

<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Counter in Bash: $count</title><link rel="stylesheet" href="/style.css">
<main><h1>Counter in Bash</h1>
<output>$count</output>
PAGE
    handle=$(escape "$handle")
    if [[ $QUERY_STRING == end ]]; then
        cat <<PAGE
<p>It was a variable of process $$, which ends now. Your last note: <q>$text</q></p>
<nav><a href="$start">Start another</a></nav></main></html>
PAGE
    else
        cat <<PAGE
<p>A variable of process $$; session ${handle:0:4}… waits $HTSESSION_TIMEOUT s for your next visit.</p>
<form method="post" action="$start/$handle"><label for="note">Note</label>
<input id="note" name="note" value="$text" maxlength="100" autofocus> <button>Count on</button></form>
<nav><a href="$start/$handle">Count on</a> <a href="$start">Start another</a>
<a href="$start/$handle?end">End this session</a></nav></main></html>
PAGE
    fi
done
