/* Reads a body to its end, or writes as many bytes as the query says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char block[65536];

int main(void)
{
    long long most = atoll(getenv("QUERY_STRING")), done = 0;
    const char *length = getenv("CONTENT_LENGTH");
    long long coming = length && *length ? atoll(length) : 0;
    ssize_t got;

    while (done < coming && (got = read(0, block, sizeof block)) > 0)
        done += got;
    if (coming) {
        dprintf(1, "Content-Type: text/plain\n\n%lld\n", done);
        return 0;
    }
    dprintf(1, "Content-Type: application/octet-stream\nContent-Length: %lld\n\n", most);
    while (done < most) {
        size_t size = most - done < (long long) sizeof block ? (size_t) (most - done) : sizeof block;
        if ((got = write(1, block, size)) <= 0)
            return 1;
        done += got;
    }
    return 0;
}
