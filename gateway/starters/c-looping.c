/* STARTER: a list that grows. It loops: each turn answers a request, and the process waits for the next one. */
#include "htsession.h" /* before all other headers */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char items[100][81];
static int count;

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

/* One page, for the request in the environment and on standard input. */
static void answer(void) {
    /* the form: standard input ends after CONTENT_LENGTH bytes and is empty without a body */
    char form[4096];
    form[fread(form, 1, sizeof form - 1, stdin)] = 0;
    if (!strncmp(form, "item=", 5) && count < 100)
        decode(form + 5, items[count++], sizeof items[0]);

    const char *handle = htsession_handle(); /* the one by which this request came, else a new one */
    const char *start = getenv("SCRIPT_NAME"), *query = getenv("QUERY_STRING");
    int ends = query && !strcmp(query, "end");
    if (!ends) /* with every page but the last; HTTimeout is in minutes */
        printf("Accept-HTSession: %s\nHTTimeout: 10\n", handle);
    printf("Content-Type: text/html; charset=utf-8\n\n<!doctype html>\n"
           "<html lang=\"en\"><meta charset=\"utf-8\"><title>STARTER</title>\n<h1>%d items</h1>\n<ul>\n",
           count);
    for (int i = 0; i < count; i++)
        printf("<li>"), escape(items[i]), printf("</li>\n");
    /* the next request by SCRIPT_NAME/handle comes to this process */
    if (ends)
        printf("</ul>\n<p>It is over. <a href=\"%s\">Start anew</a></p></html>\n", start);
    else
        printf("</ul>\n<form method=\"post\" action=\"%s/%s\"><input name=\"item\" maxlength=\"80\">\n"
               "<button>Add</button></form>\n<p><a href=\"%s/%s?end\">End</a></p></html>\n",
               start, handle, start, handle);
}

int main(void) {
    while (htsession_accept())
        answer();
    /* here the session is over: roll back, close files, remove what was temporary */
    return 0;
}
