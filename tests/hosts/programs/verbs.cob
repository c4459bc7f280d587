      *> The verbs of ../languages.py in COBOL, a returning program: WORKING-STORAGE stays from call to call.
       >>SOURCE FORMAT FREE
identification division.
program-id. cobverbs.
environment division.
configuration section.
repository. function all intrinsic.
input-output section.
file-control.
    select optional notes assign to notes-path organization line sequential.
data division.
file section.
fd notes.
01 note-line pic x(80).
working-storage section.
01 calls        pic 9(9) value 0.
01 notes-path   pic x(1000) value spaces.
01 query        pic x(4000).
01 place        pic 9(9) binary.
01 part         pic x(2000).
01 verb         pic x(20).
01 argument     pic x(2000).
01 found        pic x(2000).
01 field-line   pic x(200).
01 headed       pic 9.
01 known        pic 9.
01 pid          usage binary-long.
01 shown        pic z(8)9.
01 shown-pid    pic z(8)9.
procedure division.
main-line.
    add 1 to calls
    move 0 to headed
    move spaces to field-line
    accept query from environment "QUERY_STRING" on exception move spaces to query end-accept
    inspect query replacing all "+" by " "
    move 1 to place
    perform until place > length(trim(query trailing))
        unstring query delimited by "&" into part with pointer place
        if part not = spaces
            move spaces to verb, argument
            unstring part delimited by "=" into verb, argument
            perform do-verb
        end-if
    end-perform
    perform put-head
    goback.

put-head.
    if headed = 0
        move 1 to headed
        if field-line not = spaces display trim(field-line) end-if
        display "Content-Type: text/plain"
        display x"0A" with no advancing
    end-if.

do-verb.
    evaluate verb
        when "keep"
            string "Accept-HTSession: " delimited by size argument delimited by space into field-line
        when "count"
            perform put-head
            call "getpid" returning pid
            move calls to shown
            move pid to shown-pid
            display "count=" trim(shown) " pid=" trim(shown-pid)
        when "echo"
            perform put-head
            display trim(argument)
        when "env"
            perform put-head
            display argument upon environment-name
            move 1 to known
            accept found from environment-value on exception move 0 to known end-accept
            if known = 1 display trim(argument) "=" trim(found) else display trim(argument) " is absent" end-if
        when "set"
            unstring argument delimited by ":" into part, found
            display part upon environment-name
            display found upon environment-value
        when "line"
            move spaces to found
            accept found
            perform put-head
            display trim(found)
        when "run"
            perform put-head
            call "fflush" using by value size 8 0
            call "SYSTEM" using argument
        when "flush"
            perform put-head
            call "fflush" using by value size 8 0
        when "exit"
            perform leave-now
        when "deep"
            perform inner-paragraph
        when "die"
            display trim(argument) upon syserr
            call trim(argument)
        when "warn"
            display trim(argument) upon syserr
        when "cd"
            call "CBL_CHANGE_DIR" using argument
        when "where"
            move spaces to found
            call "CBL_GET_CURRENT_DIR" using by value size 4 0 by value size 4 2000 by reference found
            perform put-head
            display "cwd=" trim(found)
        when "arguments"
            accept shown from argument-number
            perform put-head
            display "arguments=" trim(shown)
        when "note"
            if notes-path = spaces
                move argument to notes-path
                open extend notes
            end-if
            move calls to shown
            move spaces to note-line
            string "note " trim(shown) delimited by size into note-line
            write note-line
            commit
        when "revision"
            perform put-head
            display "revision-one"
        when other
            display "unknown verb " trim(verb) upon syserr
            move 1 to return-code
            stop run
    end-evaluate.

inner-paragraph.
    perform leave-now.

leave-now.
    compute return-code = numval(argument)
    stop run.
