/* STARTER: greets. A plain CGI program: started for a request, gone with its end. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A form's value: + is a blank, %XX a byte. */
static void decode(const char *from, char *to, int size) {
    for (; *from && *from != '&' && --size; from++) {
        if (*from == '%' && isxdigit((unsigned char)from[1]) && isxdigit((unsigned char)from[2])) {
            *to++ = (char)strtol((char[]){from[1], from[2], 0}, NULL, 16);
            from += 2;
        } else
            *to++ = *from == '+' ? ' ' : *from;
    }
    *to = 0;
}

static void escape(const char *text) {
    for (; *text; text++)
        printf(strchr("&<>\"'", *text) ? "&#%d;" : "%c", *text);
}

int main(void) {
    char name[81] = "nobody yet";
    const char *query = getenv("QUERY_STRING"), *here = getenv("SCRIPT_NAME");
    if (query && !strncmp(query, "name=", 5))
        decode(query + 5, name, sizeof name);
    /* the header, a blank line, then the page; the program's end is the end of the page */
    printf("Content-Type: text/html; charset=utf-8\n\n<!doctype html>\n"
           "<html lang=\"en\"><meta charset=\"utf-8\"><title>STARTER</title>\n<h1>Hello, ");
    escape(name);
    printf("</h1>\n<form action=\"");
    escape(here ? here : "");
    printf("\">\n<input name=\"name\" maxlength=\"80\" autofocus> <button>Greet</button>\n</form></html>\n");
    return 0;
}
