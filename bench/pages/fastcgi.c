/* The page of session.c by FastCGI: one process, one connection at a time. */
#include <fcgi_stdio.h>

int main(void)
{
    static char page[512];
    int count = 0;
    while (FCGI_Accept() >= 0) {
        sprintf(page, "Content-Type: text/html\r\n\r\n<!doctype html><title>%d</title><p>%s<p>%0120d", ++count,
                "abcdefghijklmnopqrstuvwxyz012345", 0);
        fputs(page, stdout);
    }
    return 0;
}
