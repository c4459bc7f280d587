/* Persistent CGI for looping C and C++ programs: the pipe protocol behind a `while` loop.
 *
 *     #include "htsession.h"
 *
 *     int main(void)
 *     {
 *         static int count;
 *         while (htsession_accept()) {
 *             printf("Accept-HTSession: %s\nContent-Type: text/plain\n\n", htsession_handle());
 *             printf("visit %d\n", ++count);
 *         }
 *         return 0; // the session is over: clean up
 *     }
 *
 * int htsession_accept(void): ends the response under way and waits for the next request, which is then in the
 *     environment and on standard input (descriptor 0 and stdin). 0: no more, clean up. A forked child gets 0.
 * const char *htsession_handle(void): the request's own handle, else the one on offer for a new session (H11).
 *
 * Include it before all other headers, in one source file. What is in the environment when the program starts
 * came from the server and goes with the next request (B1); what the program sets itself stays. A pointer from
 * getenv is good until the next htsession_accept. Do not fclose stdin or stdout. A plain CGI server: one turn.
 * Build it by `cc -o program.cgi program.c`, or as a shared object (cc -shared -fPIC) for the native host: main
 * is then called for each request, the loop in it runs once a call, and `static` variables live on (others of
 * main do not). The host says so by HTSESSION_HOSTED, the number of the call.
 * C99 or C++17, POSIX.1-2008 with XSI, no other file. It may be copied next to a program.
 */
#ifndef HTSESSION_H
#define HTSESSION_H

#if defined __STRICT_ANSI__ && !defined _XOPEN_SOURCE && !defined _GNU_SOURCE && !defined _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#ifdef __cplusplus
#include <iostream>
#include <limits>
#endif

enum { HTSESSION_FIRST, HTSESSION_AHEAD, HTSESSION_SERVING, HTSESSION_OVER }; /* states */
enum { HTSESSION_SMALL = 512, HTSESSION_PART = 16384 }; /* bytes; an empty pipe takes 512 (_POSIX_PIPE_BUF) */

static struct {
    pid_t pid;                 /* 0 until the first htsession_accept */
    int state;
    int requests;              /* the request pipe; -1 under a plain CGI server */
    int input, output, errors; /* the standard descriptors as they were at the start */
    char *end;                 /* EOT, end mark, line feed */
    char *names, *names_end;   /* of the server's variables, each with its NUL */
    char *frame;               /* memory of the variables that came with the present request */
    char call[24];             /* HTSESSION_HOSTED of the present call */
} htsession_own;

static inline void htsession_fail(const char *what) {
    dprintf(2, "htsession: no %s for a request: %s\n", what, strerror(errno));
    exit(1);
}

static inline void htsession_refuse(const char *why) {
    const char *script = getenv("SCRIPT_FILENAME");
    dprintf(2, "HTS011 %s: this is not a request for this process: %s\n", script ? script : "htsession.h", why);
    exit(1);
}

static inline char *htsession_memory(size_t size) {
    char *memory = (char *)malloc(size + 1);
    if (!memory)
        htsession_fail("memory");
    return memory;
}

/* Bytes read: fewer than `size` at end of file or on an error. */
static inline size_t htsession_read(int fd, char *data, size_t size) {
    size_t got = 0;
    while (got < size) {
        ssize_t done = read(fd, data + got, size - got);
        if (done == 0 || (done < 0 && errno != EINTR))
            break;
        got += done < 0 ? 0 : (size_t)done;
    }
    return got;
}

static inline int htsession_write(int fd, const char *data) {
    while (*data) {
        ssize_t done = write(fd, data, strlen(data));
        if (done < 0 && errno != EINTR)
            return 0;
        data += done < 0 ? 0 : done;
    }
    return 1;
}

static inline int htsession_is_number(const char *text, size_t digits) {
    size_t size = strspn(text, "0123456789");
    return size > 0 && size <= digits && !text[size];
}

/* Before main: what is in the environment came from the server (B1). */
#ifdef __GNUC__
__attribute__((constructor))
#endif
static void htsession_note_names(void) {
    extern char **environ;
    size_t size = 0;
    if (htsession_own.names)
        return;
    for (char **variable = environ; variable && *variable; variable++)
        size += strlen(*variable) + 1;
    char *name = htsession_own.names = htsession_memory(size);
    for (char **variable = environ; variable && *variable; variable++) {
        size_t length = strcspn(*variable, "=");
        memcpy(name, *variable, length);
        name[length] = '\0';
        if (strcmp(name, "PATH") && strcmp(name, "HTSESSION_FD") && strcmp(name, "HTSESSION_LIB"))
            name += length + 1;
    }
    htsession_own.names_end = name;
}

static inline void htsession_begin(void) {
    const char *requests = getenv("HTSESSION_FD"), *mark = getenv("HTSESSION_END");
    int fd = requests && mark && htsession_is_number(requests, 9) ? atoi(requests) : -1;
    htsession_note_names();
    htsession_own.pid = getpid();
    if ((htsession_own.requests = fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -1) < 0)
        return;
    htsession_own.input = fcntl(0, F_DUPFD_CLOEXEC, 3);
    htsession_own.output = fcntl(1, F_DUPFD_CLOEXEC, 3);
    htsession_own.errors = fcntl(2, F_DUPFD_CLOEXEC, 3);
    htsession_own.end = htsession_memory(strlen(mark) + 2);
    sprintf(htsession_own.end, "\004%s\n", mark);
    htsession_own.state = getenv("HTSESSION_FIRST") ? HTSESSION_AHEAD : HTSESSION_FIRST; /* P11 */
}

/* Standard input without a byte, nor in the stream's buffer: an end of file shows that this is empty. */
static inline void htsession_empty_input(void) {
    int ends[2];
    if (pipe(ends) != 0 || dup2(ends[0], 0) != 0)
        htsession_fail("standard input");
    close(ends[0]);
    close(ends[1]);
    clearerr(stdin);
    while (getc(stdin) != EOF) {
    }
#ifdef __cplusplus
    std::cin.clear();
    std::cin.ignore(std::numeric_limits<std::streamsize>::max());
    std::cin.clear();
#endif
    clearerr(stdin);
}

/* Drop the rest of the first body (P9), set the descriptors back, write the end mark (P1). 0: nobody reads. */
static inline int htsession_end_response(void) {
    char rest[HTSESSION_PART];
    /* a subprocess may have made the file description that it shares non-blocking */
    fcntl(htsession_own.output, F_SETFL, fcntl(htsession_own.output, F_GETFL) & ~O_NONBLOCK);
#ifdef __cplusplus
    std::cout.flush();
#endif
    fflush(stdout);
    fflush(stderr);
    clearerr(stdout);
    while (htsession_read(htsession_own.input, rest, sizeof rest) > 0) {
    }
    dup2(htsession_own.output, 0); /* no other descriptor may take its place */
    dup2(htsession_own.output, 1);
    dup2(htsession_own.errors, 2);
    htsession_empty_input();
    return htsession_write(htsession_own.output, htsession_own.end);
}

/* Bytes of the netstring that begins a request; -1 at end of file (P8). */
static inline long htsession_read_length(void) {
    char text[11] = "";
    size_t size = 0;
    do {
        if (htsession_read(htsession_own.requests, text + size, 1) == 0 && size == 0)
            return -1;
    } while (text[size] && text[size] != ':' && ++size < 10);
    text[size] = text[size] == ':' ? '\0' : '?';
    if (!htsession_is_number(text, 9))
        htsession_refuse("it must begin with the length of a netstring");
    return atol(text);
}

/* Look at the variables of a frame and return the size of its body. */
static inline unsigned long long htsession_check(const char *frame, long size) {
    const char *mark = "", *length = "", *value, *name;
    if (frame[size] != ',' || (size > 0 && frame[size - 1] != '\0'))
        htsession_refuse("its netstring has no end");
    for (name = frame; name < frame + size; name = value + strlen(value) + 1) {
        value = name + strlen(name) + 1;
        if (value >= frame + size || !*name || strchr(name, '='))
            htsession_refuse("it must be names and values");
        if (!strcmp(name, "HTSESSION_END"))
            mark = value;
        else if (!strcmp(name, "CONTENT_LENGTH"))
            length = value;
    }
    if (strlen(mark) + 2 != strlen(htsession_own.end) || strncmp(mark, htsession_own.end + 1, strlen(mark)))
        htsession_refuse("it carries another process's end mark");
    if (!htsession_is_number(length, 18))
        htsession_refuse("it has no CONTENT_LENGTH");
    return strtoull(length, NULL, 10);
}

/* The body of a request becomes standard input: one that ends where the body ends, for a subprocess too. */
static inline void htsession_receive_body(unsigned long long size) {
    char part[HTSESSION_PART];
    int ends[2] = {-1, -1};
    FILE *place = size > HTSESSION_SMALL ? tmpfile() : pipe(ends) == 0 ? fdopen(ends[1], "w") : NULL;
    if (!place)
        htsession_fail("place");
    while (size > 0) {
        size_t length = size < sizeof part ? (size_t)size : sizeof part;
        if (htsession_read(htsession_own.requests, part, length) < length)
            htsession_refuse("its body breaks off");
        if (fwrite(part, 1, length, place) < length)
            htsession_fail("place");
        size -= length;
    }
    if (fflush(place) != 0)
        htsession_fail("place");
    rewind(place);
    dup2(ends[0] < 0 ? fileno(place) : ends[0], 0);
    close(ends[0]);
    fclose(place);
}

/* The old request's variables go, the new one's come: the frame's memory becomes part of the environment. */
static inline void htsession_set_variables(char *frame, long size, int has_body) {
    char *name, *next, *end = htsession_memory((size_t)size);
    for (name = htsession_own.names; name < htsession_own.names_end; name += strlen(name) + 1)
        unsetenv(name);
    free(htsession_own.names);
    free(htsession_own.frame);
    htsession_own.frame = frame;
    htsession_own.names = end;
    for (name = frame; name < frame + size; name = next) {
        size_t length = strlen(name);
        next = name + length + strlen(name + length + 1) + 2;
        if (!strcmp(name, "SCGI") || (!has_body && !strcmp(name, "CONTENT_LENGTH")))
            continue;
        memcpy(end, name, length + 1);
        end += length + 1;
        name[length] = '=';
        if (putenv(name) != 0)
            htsession_fail("memory");
    }
    htsession_own.names_end = end;
}

/* 0 at end of file: there are no more requests. */
static inline int htsession_receive(void) {
    long size = htsession_read_length();
    if (size < 0)
        return 0;
    char *frame = htsession_memory((size_t)size);
    if (htsession_read(htsession_own.requests, frame, (size_t)size + 1) <= (size_t)size)
        htsession_refuse("it breaks off");
    unsigned long long body = htsession_check(frame, size);
    if (body > 0)
        htsession_receive_body(body);
    htsession_set_variables(frame, size, body > 0);
    return 1;
}

static inline int htsession_accept(void) {
    const char *call = getenv("HTSESSION_HOSTED");
    int ready = 1;
    if (call) { /* true once for each call of main */
        ready = strncmp(htsession_own.call, call, sizeof htsession_own.call - 1) != 0;
        strncpy(htsession_own.call, call, sizeof htsession_own.call - 1);
        return ready;
    }
    if (htsession_own.pid == 0)
        htsession_begin();
    if (htsession_own.state == HTSESSION_OVER || getpid() != htsession_own.pid)
        return 0;
    if (htsession_own.state == HTSESSION_SERVING)
        ready = htsession_own.requests >= 0 && htsession_end_response();
    if (ready && htsession_own.state != HTSESSION_FIRST)
        ready = htsession_receive();
    htsession_own.state = ready ? HTSESSION_SERVING : HTSESSION_OVER;
    return ready;
}

static inline const char *htsession_handle(void) {
    const char *handle = getenv("HTSESSION_HANDLE"), *offered = getenv("HTSESSION_NEXT_HANDLE");
    return handle && *handle ? handle : offered ? offered : "";
}

#endif
