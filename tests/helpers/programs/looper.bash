#!/usr/bin/env bash
# A looping program whose visitor says what it does: see looper.py.
. "${HTSESSION_LIB:-${BASH_SOURCE%/*}}/htsession.bash"
set -eu

show() {
    local name
    for name in ${HTTP_X_ARGUMENT//,/ }; do
        if [[ $name =~ ^[A-Z_a-z0-9]+$ && -v $name ]]; then
            printf '+%s\0' "${!name}"
        else
            printf '%s\0' -
        fi
    done
}

count=0
: "${MINE=before the loop}"
export MINE
while htsession_accept; do
    count=$((count + 1))
    case ${QUERY_STRING:-count} in
    count) printf '%s' "$count" ;;
    echo) cat ;;
    echo-descriptor) cat <&0 ;;
    line) IFS= read -r line && printf '%s\n' "$line" ;;
    ignore) printf done ;;
    child) printf '<'; /bin/cat; printf '>' ;;
    variables) show ;;
    prefix) mapfile -t names < <(compgen -e "$HTTP_X_ARGUMENT"); printf '%s' "${#names[@]}" ;;
    set) export MINE=$HTTP_X_ARGUMENT ;;
    handle) htsession_handle ;;
    fork) (if htsession_accept; then echo never; fi); printf parent ;;
    nested) QUERY_STRING=count "$BASH" "$0" ;;
    descriptors) open=(/proc/$$/fd/*); printf '%s' "${#open[@]}" ;;
    close) printf closed; exec 0<&- 1>&- 2>&- ;;
    redirect) exec >"$HTTP_X_ARGUMENT"; echo to the file ;;
    almost) printf '\004%s.\004' "$HTSESSION_END" ;;
    warn) printf '%s\n' "$HTTP_X_ARGUMENT" >&2 ;;
    exit) printf page; exit 3 ;;
    catch) trap : USR1 ;;
    esac
done
echo bye >&2
