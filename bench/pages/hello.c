/* A small one-shot CGI program. */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    printf("Content-Type: text/plain\n\nhello %s\n", getenv("REQUEST_METHOD"));
    return 0;
}
