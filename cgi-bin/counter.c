/* Counts its own calls in a static variable. Two programs come from this one source:
 *   cc -o counter.cgi counter.c                 loops: it asks for its next request itself
 *   cc -shared -fPIC -o counter.so counter.c    returns: the native host calls main again, the loop runs once a call
 * Each page carries a handle of its own, so that an older one, by the Back button, is told to be out of date. */
#include "htsession.h"

#include <ctype.h>

static unsigned long count;
static char note[4096];

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

static int hex(char digit)
{
    return isdigit((unsigned char)digit) ? digit - '0' : tolower((unsigned char)digit) - 'a' + 10;
}

/* Decode a value of a form up to its end, a `&`. Escapes become bytes, those of NUL nothing. */
static void set_note(const char *text)
{
    size_t size = 0;
    for (; *text && *text != '&'; text++) {
        char byte = *text == '+' ? ' ' : *text;
        if (*text == '%' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2])) {
            byte = (char)(hex(text[1]) * 16 + hex(text[2]));
            text += 2;
        }
        if (byte)
            note[size++] = byte;
    }
    note[size] = '\0';
}

/* The field `note` of the form, if there is one. A decoded text is never longer than its code. */
static void read_note(void)
{
    char body[sizeof note] = "&", *field;
    body[1 + fread(body + 1, 1, sizeof body - 2, stdin)] = '\0';
    field = strstr(body, "&note=");
    if (field)
        set_note(field + strlen("&note="));
}

static void put_text(const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&': fputs("&amp;", stdout); break;
        case '<': fputs("&lt;", stdout); break;
        case '>': fputs("&gt;", stdout); break;
        case '"': fputs("&quot;", stdout); break;
        case '\'': fputs("&#x27;", stdout); break;
        default: putchar(*text);
        }
}

/* The address of this program, with the session's handle behind it if there is one. */
static void put_address(const char *handle)
{
    const char *name = variable("SCRIPT_NAME");
    for (; *name; name++)
        printf(isalnum((unsigned char)*name) || strchr("/-._~", *name) ? "%c" : "%%%02X", (unsigned char)*name);
    fputs(*handle ? "/" : "", stdout);
    put_text(handle);
}

static void put_living(const char *handle)
{
    printf("<p>A variable of process %ld; session ", (long)getpid());
    for (const char *sign = handle; *sign && sign < handle + 4; sign++)
        put_text((char[]){*sign, '\0'});
    printf("… waits %s s for your next visit.</p>\n<form method=\"post\" action=\"", variable("HTSESSION_TIMEOUT"));
    put_address(handle);
    printf("\"><label for=\"note\">Note</label>\n<input id=\"note\" name=\"note\" value=\"");
    put_text(note);
    printf("\" maxlength=\"100\" autofocus> <button>Count on</button></form>\n<nav><a href=\"");
    put_address(handle);
    printf("\">Count on</a> <a href=\"");
    put_address("");
    printf("\">Start another</a>\n<a href=\"");
    put_address(handle);
    printf("?end\">End this session</a></nav></main></html>\n");
}

static void put_ended(void)
{
    printf("<p>It was a variable of process %ld, which ends now. Your last note: <q>", (long)getpid());
    put_text(note);
    printf("</q></p>\n<nav><a href=\"");
    put_address("");
    printf("\">Start another</a></nav></main></html>\n");
}

int main(void)
{
    while (htsession_accept()) {
        int ends = strcmp(variable("QUERY_STRING"), "end") == 0;
        const char *handle = variable("HTSESSION_NEXT_HANDLE");
        count++;
        read_note();
        if (!ends)
            printf("Accept-HTSession: %s\n", handle);
        printf("Content-Type: text/html; charset=utf-8\n\n<!doctype html>\n"
               "<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n"
               "<title>Counter in C: %lu</title><link rel=\"stylesheet\" href=\"/style.css\">\n"
               "<main><h1>Counter in C</h1>\n<output>%lu</output>\n", count, count);
        if (ends)
            put_ended();
        else
            put_living(handle);
    }
    return 0;
}
