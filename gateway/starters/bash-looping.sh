#!/usr/bin/env bash
# STARTER: a list that grows. It loops: each turn answers a request, and the process waits for the next one.
. "${HTSESSION_LIB:-.}/htsession.bash"    # before this program exports variables of its own

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

items=()
while htsession_accept; do
    # the form: standard input ends after CONTENT_LENGTH bytes and is empty without a body
    IFS= read -r -N 10000 form
    if [[ $form == item=* ]]; then
        form=${form#item=}
        items+=("$(decode "${form%%&*}")")
    fi
    handle=$(htsession_handle)    # the one by which this request came, else a new one
    start=$(escape "$SCRIPT_NAME")
    here=$start/$(escape "$handle")    # the next request by this link comes to this process

    # the handle goes with every page but the last, before all other headers; HTTimeout is in minutes
    [[ $QUERY_STRING == end ]] || printf 'Accept-HTSession: %s\nHTTimeout: 10\n' "$handle"
    printf 'Content-Type: text/html; charset=utf-8\n\n<!doctype html>\n'
    printf '<html lang="en"><meta charset="utf-8"><title>STARTER</title>\n'
    printf '<h1>%d items</h1>\n<ul>\n' ${#items[@]}
    for item in "${items[@]}"; do printf '<li>%s</li>\n' "$(escape "$item")"; done
    if [[ $QUERY_STRING == end ]]; then
        printf '</ul>\n<p>It is over. <a href="%s">Start anew</a></p></html>\n' "$start"
    else
        printf '</ul>\n<form method="post" action="%s"><input name="item" maxlength="80" autofocus>\n' "$here"
        printf '<button>Add</button></form>\n<p><a href="%s?end">End</a></p></html>\n' "$here"
    fi
done
# here the session is over: remove what was temporary
