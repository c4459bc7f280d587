/* A looping CGI program without any library: one page of about 200 bytes a request; `?end` ends it. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int in;

static int take(char *data, size_t size)
{
    size_t have = 0;
    while (have < size) {
        ssize_t got = read(in, data + have, size - have);
        if (got <= 0)
            return 0;
        have += (size_t) got;
    }
    return 1;
}

int main(void)
{
    static char frame[65536], page[512], body[256];
    char mark[64], handle[160];
    static const char end[] = "\0QUERY_STRING\0end";
    int count = 0;

    in = atoi(getenv("HTSESSION_FD"));
    snprintf(mark, sizeof mark, "%s", getenv("HTSESSION_END"));
    snprintf(handle, sizeof handle, "%s", getenv("HTSESSION_NEXT_HANDLE"));
    for (;;) {
        int text = snprintf(body, sizeof body, "<!doctype html><title>%d</title><p>%s<p>%0120d", ++count, handle, (int) getpid());
        int size = snprintf(page, sizeof page, "Accept-HTSession: %s\nContent-Type: text/html\n\n%.*s\4%s\n", handle,
                            text, body, mark);
        if (write(1, page, (size_t) size) != size)
            return 1;
        char digit;
        size_t length = 0;
        while (take(&digit, 1) && digit != ':')
            length = length * 10 + (size_t) (digit - '0');
        if (!length || length + 1 > sizeof frame || !take(frame, length + 1))
            return 0;
        if (memmem(frame, length, end, sizeof end))
            break;
    }
    printf("Content-Type: text/html\n\n<p>%s<p>%0120d", handle, (int) getpid());
    return 0;
}
