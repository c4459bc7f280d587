*> STARTER: doubles a number. A plain CGI program: started for a request, gone with its end.
IDENTIFICATION DIVISION.
PROGRAM-ID. "STARTER".
DATA DIVISION.
WORKING-STORAGE SECTION.
01 script     PIC X(255).
01 query      PIC X(80).
01 field      PIC X(80).
01 amount     PIC X(80).
01 doubled    PIC S9(9) VALUE 0.
01 shown      PIC -(9)9.
PROCEDURE DIVISION.
    ACCEPT query  FROM ENVIRONMENT "QUERY_STRING"
    ACCEPT script FROM ENVIRONMENT "SCRIPT_NAME"
    UNSTRING query DELIMITED BY "=" OR "&" INTO field amount
*>  what is not a number goes nowhere: nothing that was typed gets into the page as it is
    IF FUNCTION TEST-NUMVAL(amount) = 0 COMPUTE doubled = FUNCTION NUMVAL(amount) * 2 END-IF
    MOVE doubled TO shown
*>  the header, a blank line, then the page; the program's end is the end of the page
    DISPLAY "Content-Type: text/html; charset=utf-8" X"0A"
    DISPLAY '<!doctype html>'
    DISPLAY '<html lang="en"><meta charset="utf-8"><title>STARTER</title>'
    DISPLAY "<h1>Doubled: " FUNCTION TRIM(shown) "</h1>"
    DISPLAY '<form action="' FUNCTION TRIM(script) '">'
    DISPLAY '<input name="amount" maxlength="8" autofocus> <button>Double</button></form></html>'
    STOP RUN.
