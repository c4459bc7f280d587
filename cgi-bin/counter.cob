       >>SOURCE FORMAT FREE
*> Counts its own calls in WORKING-STORAGE: a returning program, which the native host calls for each request.
*> Each page carries a handle of its own, so that an older one, by the Back button, is told to be out of date.
*> cobc -m -o counter-cob.so counter.cob
identification division.
program-id. counter-cob.

environment division.
configuration section.
repository. function all intrinsic.

data division.
working-storage section.
01 visits           binary-double unsigned value 0.
01 note             pic x(4096).
01 note-size        pic 9(4) binary value 0.

01 query            pic x(1000).
01 script           pic x(1000).
01 session-handle   pic x(200).
01 seconds          pic x(20).
01 pid              binary-long.
01 pid-shown        pic z(9)9.
01 visits-shown     pic z(17)9.

01 form             pic x(4096).
01 form-size        pic 9(4) binary.
01 place            pic 9(4) binary.
01 letter           pic x.
01 letter-code      redefines letter binary-char unsigned.
01 digits.
   05 high          pic x.
   05 low           pic x.
01 hexadecimal      pic x(16) value "0123456789abcdef".
01 sixteens         pic 9(2) binary.
01 ones             pic 9(2) binary.

01 shown            pic x(4096).
01 shown-size       pic 9(4) binary.

procedure division.
main-line.
    add 1 to visits
    move visits to visits-shown
    call static "getpid" returning pid end-call
    move pid to pid-shown
    perform read-variables
    perform read-note
    perform put-page
    goback.

read-variables.
    move spaces to query, script, session-handle, seconds
    accept query from environment "QUERY_STRING"
    accept script from environment "SCRIPT_NAME"
    accept seconds from environment "HTSESSION_TIMEOUT"
    accept session-handle from environment "HTSESSION_NEXT_HANDLE".

*> The form's field "note", which comes first. Its code goes as far as the next field or the end.
read-note.
    move spaces to form
    accept form
    if form(1:5) = "note="
        move 0 to form-size, note-size
        inspect form tallying form-size for characters before initial "&"
        if form-size > 5
            compute form-size = stored-char-length(form(1:form-size))
        end-if
        perform varying place from 6 by 1 until place > form-size
            perform decode-letter
            if letter-code not = 0
                add 1 to note-size
                move letter to note(note-size:1)
            end-if
        end-perform
    end-if.

decode-letter.
    move form(place:1) to letter
    if letter = "+"
        move space to letter
    end-if
    if letter = "%" and place + 2 <= form-size
        move lower-case(form(place + 1:2)) to digits
        move 0 to sixteens, ones
        inspect hexadecimal tallying sixteens for characters before initial high
        inspect hexadecimal tallying ones for characters before initial low
        if sixteens < 16 and ones < 16
            compute letter-code = sixteens * 16 + ones
            add 2 to place
        end-if
    end-if.

put-page.
    if query not = "end"
        display "Accept-HTSession: " trim(session-handle)
    end-if
    display "Content-Type: text/html; charset=utf-8" x"0a"
    display "<!doctype html>"
    display '<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    display "<title>Counter in COBOL: " trim(visits-shown) "</title>" no advancing
    display '<link rel="stylesheet" href="/style.css">'
    display "<main><h1>Counter in COBOL</h1>"
    display "<output>" trim(visits-shown) "</output>"
    if query = "end"
        perform put-ended
    else
        perform put-living
    end-if.

put-living.
    display "<p>A variable of process " trim(pid-shown) "; session " no advancing
    move session-handle(1:4) to shown
    perform put-text
    display "… waits " trim(seconds) " s for your next visit.</p>"
    display '<form method="post" action="' no advancing
    perform put-session
    display '"><label for="note">Note</label>'
    display '<input id="note" name="note" value="' no advancing
    perform put-note
    display '" maxlength="100" autofocus> <button>Count on</button></form>'
    display '<nav><a href="' no advancing
    perform put-session
    display '">Count on</a> <a href="' no advancing
    perform put-script
    display '">Start another</a>'
    display '<a href="' no advancing
    perform put-session
    display '?end">End this session</a></nav></main></html>'.

put-ended.
    display "<p>It was a variable of process " trim(pid-shown) ", which ends now. Your last note: <q>" no advancing
    perform put-note
    display "</q></p>"
    display '<nav><a href="' no advancing
    perform put-script
    display '">Start another</a></nav></main></html>'.

put-session.
    perform put-script
    display "/" no advancing
    move session-handle to shown
    perform put-text.

put-script.
    move script to shown
    perform put-text.

put-text.
    compute shown-size = stored-char-length(shown)
    perform put-escaped.

put-note.
    move note to shown
    move note-size to shown-size
    perform put-escaped.

put-escaped.
    perform varying place from 1 by 1 until place > shown-size
        evaluate shown(place:1)
            when "&" display "&amp;" no advancing
            when "<" display "&lt;" no advancing
            when ">" display "&gt;" no advancing
            when '"' display "&quot;" no advancing
            when "'" display "&#x27;" no advancing
            when other display shown(place:1) no advancing
        end-evaluate
    end-perform.
