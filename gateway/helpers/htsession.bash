# Persistent CGI for looping Bash programs: the pipe protocol behind a `while` loop.
#
#     . "${HTSESSION_LIB:-.}/htsession.bash"
#     count=0
#     while htsession_accept; do
#         count=$((count + 1))
#         printf 'Accept-HTSession: %s\nContent-Type: text/plain\n\nvisit %s\n' "$(htsession_handle)" "$count"
#     done
#     # the session is over: clean up
#
# Source it first: what is exported then came from the server and goes with the next request (B1).
# Bash 4.4 or newer, head and cat; it may be copied next to a program. Under a plain CGI server the loop runs once.

__htsession_process=$BASHPID
__htsession_state=first            # first, ahead (P11), serving, over
__htsession_mark=${HTSESSION_END-}
__htsession_requests=${HTSESSION_FD-}
__htsession_has_body=${CONTENT_LENGTH:-0}
mapfile -t __htsession_names < <(compgen -e)
exec {__htsession_stdout}>&1 {__htsession_stderr}>&2 {__htsession_body}<&0
export -n HTSESSION_FD             # its descriptor is open in subprocesses: they must not take it for theirs
[[ ${HTSESSION_FIRST-} != frame ]] || __htsession_state=ahead

# The next request, in the environment and on standard input; the response before it is ended first (P1).
# Status 1: there are no more (P8), or this is a subshell. A request that is not for this process ends it (P7).
htsession_accept() {
    [[ $BASHPID == "$__htsession_process" && $__htsession_state != over ]] || return 1
    if [[ $__htsession_state == first ]]; then
        __htsession_state=serving
        return 0
    fi
    [[ -n $__htsession_requests ]] || __htsession_state=over
    [[ $__htsession_state != serving ]] || __htsession_end_response
    [[ $__htsession_state != over ]] || return 1
    __htsession_state=over
    __htsession_receive || return 1
    __htsession_set_environment "${__htsession_fields[@]}"
    __htsession_fields=()
    __htsession_state=serving
}

# The handle by which this request came, else the one that the gateway offers for a new session (H11).
htsession_handle() {
    printf '%s' "${HTSESSION_HANDLE:-${HTSESSION_NEXT_HANDLE-}}"
}

__htsession_end_response() {
    if [[ $__htsession_has_body != 0 ]]; then
        cat <&"$__htsession_body" >/dev/null
    fi
    exec {__htsession_body}<&- >&"$__htsession_stdout" 2>&"$__htsession_stderr"
    printf '\004%s\n' "$__htsession_mark"
}

# Read the variables of one request. LC_ALL=C: lengths and reads count bytes.
__htsession_receive() {
    local LC_ALL=C __htsession_size='' __htsession_comma='' __htsession_name __htsession_value
    __htsession_fields=()
    IFS= read -r -d : -n 10 -u "$__htsession_requests" __htsession_size || [[ -n $__htsession_size ]] || return 1
    [[ $__htsession_size =~ ^[0-9]{1,9}$ ]] || __htsession_refuse 'it must begin with the length of a netstring'
    while ((__htsession_size > 0)); do
        IFS= read -r -d '' -u "$__htsession_requests" __htsession_name &&
            IFS= read -r -d '' -u "$__htsession_requests" __htsession_value ||
            __htsession_refuse 'it breaks off'
        ((__htsession_size -= ${#__htsession_name} + ${#__htsession_value} + 2))
        __htsession_fields+=("$__htsession_name" "$__htsession_value")
    done
    IFS= read -r -N 1 -u "$__htsession_requests" __htsession_comma
    [[ $__htsession_size == 0 && $__htsession_comma == , ]] || __htsession_refuse 'its netstring has no end'
}

# usage: __htsession_set_environment NAME VALUE ...
__htsession_set_environment() {
    local -A __htsession_new=()
    local __htsession_name
    while (($# > 1)); do
        [[ ! $1 =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || __htsession_new[$1]=$2
        shift 2
    done
    [[ ${__htsession_new[HTSESSION_END]-} == "$__htsession_mark" ]] ||
        __htsession_refuse "it carries another process's end mark"
    __htsession_present_body "${__htsession_new[CONTENT_LENGTH]-}"
    unset -v '__htsession_new[SCGI]'
    [[ $__htsession_has_body != 0 ]] || unset -v '__htsession_new[CONTENT_LENGTH]'
    for __htsession_name in "${__htsession_names[@]}"; do
        __htsession_is_lasting "$__htsession_name" || unset -v "$__htsession_name"
    done
    for __htsession_name in "${!__htsession_new[@]}"; do
        declare -gx "$__htsession_name=${__htsession_new[$__htsession_name]}"
    done
    __htsession_names=("${!__htsession_new[@]}")
}

# The body becomes standard input, followed by end of file; it never passes through a variable.
__htsession_present_body() {
    [[ $1 =~ ^[0-9]{1,18}$ ]] || __htsession_refuse 'it has no CONTENT_LENGTH'
    __htsession_has_body=$1
    if [[ $1 == 0 ]]; then
        exec </dev/null
    else
        exec < <(exec head -c "$1" <&"$__htsession_requests")
    fi
    exec {__htsession_body}<&0
}

__htsession_is_lasting() {
    [[ $1 == @(PATH|HTSESSION_FD|HTSESSION_LIB|PWD|OLDPWD|SHLVL|_) ]]
}

__htsession_refuse() {
    printf 'HTS011 %s: this is not a request for this process: %s\n' "$0" "$1" >&2
    exit 1
}
