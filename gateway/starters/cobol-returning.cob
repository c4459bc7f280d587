*> STARTER: an adding machine. It runs from top to bottom, returns, and is called again with its storage.
IDENTIFICATION DIVISION.
PROGRAM-ID. "STARTER".
DATA DIVISION.
WORKING-STORAGE SECTION.
01 total      PIC S9(9) VALUE 0.     *> working storage stays from call to call
01 shown      PIC -(9)9.
01 ws-handle  PIC X(128).
01 script     PIC X(255).
01 ws-method  PIC X(8).
01 query      PIC X(80).
01 form       PIC X(80).
01 field      PIC X(80).
01 amount     PIC X(80).
PROCEDURE DIVISION.
*>  what belongs to one request is set anew in each: COBOL would keep it too
    MOVE SPACES TO form amount ws-handle query
    ACCEPT ws-method FROM ENVIRONMENT "REQUEST_METHOD"
    ACCEPT query  FROM ENVIRONMENT "QUERY_STRING"
    ACCEPT script FROM ENVIRONMENT "SCRIPT_NAME"
*>  the handle by which this request came, else a new one that the gateway offers
    ACCEPT ws-handle FROM ENVIRONMENT "HTSESSION_HANDLE"
    IF ws-handle = SPACES ACCEPT ws-handle FROM ENVIRONMENT "HTSESSION_NEXT_HANDLE" END-IF
    IF ws-method = "POST"
        ACCEPT form
        UNSTRING form DELIMITED BY "=" OR "&" INTO field amount
        IF FUNCTION TEST-NUMVAL(amount) = 0 ADD FUNCTION NUMVAL(amount) TO total END-IF
    END-IF
    MOVE total TO shown
*>  the handle goes with every page but the last, before all other headers; HTTimeout is in minutes
    IF query NOT = "end"
        DISPLAY "Accept-HTSession: " FUNCTION TRIM(ws-handle)
        DISPLAY "HTTimeout: 10"
    END-IF
    DISPLAY "Content-Type: text/html; charset=utf-8" X"0A"
    DISPLAY '<!doctype html>'
    DISPLAY '<html lang="en"><meta charset="utf-8"><title>STARTER</title>'
    DISPLAY "<h1>Total: " FUNCTION TRIM(shown) "</h1>"
*>  the next request by SCRIPT_NAME/handle comes to this process
    IF query = "end"
        DISPLAY '<p>It is over. <a href="' FUNCTION TRIM(script) '">Start anew</a></p></html>'
    ELSE
        DISPLAY '<form method="post" action="' FUNCTION TRIM(script) "/" FUNCTION TRIM(ws-handle) '">'
        DISPLAY '<input name="amount" maxlength="8" autofocus> <button>Add</button></form>'
        DISPLAY '<p><a href="' FUNCTION TRIM(script) "/" FUNCTION TRIM(ws-handle) '?end">End</a></p></html>'
    END-IF
    GOBACK.    *> not STOP RUN, which ends the process
