/* The verbs of ../languages.py in C, a returning program: static storage stays, main is called again and again. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static int count, headed;
static char fields[1024], cleanup[4096];
static FILE *notes;

static void head(void) {
    if (!headed++)
        printf("%sContent-Type: text/plain\n\n", fields);
}

static void write_file(void) {
    FILE *file = cleanup[0] ? fopen(cleanup, "a") : NULL;
    if (file) {
        fputs("cleaned up\n", file);
        fclose(file);
    }
}

static void nested(void (*action)(int), int argument) { action(argument); }
static void leave(int status) { exit(status); }
static void complain(int number) { (void)number; abort(); }

static void copy_body(void) {
    static char piece[65536];
    size_t size;
    head();
    while ((size = fread(piece, 1, sizeof piece, stdin)) > 0)
        fwrite(piece, 1, size, stdout);
}

static void line(void) {
    char text[4096] = "";
    if (fgets(text, sizeof text, stdin))
        text[strcspn(text, "\n")] = 0;
    head();
    puts(text);
}

static void all_bytes(void) {
    head();
    for (int byte = 0; byte < 256; byte++)
        putchar(byte);
    fwrite("\0\0\4\4", 1, 4, stdout);
    for (int i = 0; i < 32; i++)
        putchar('0');
    putchar('\n');
}

static void fork_child(void) {
    fflush(stdout);
    pid_t child = fork();
    if (child) {
        waitpid(child, NULL, 0);
        head();
        puts("parent");
    } else {
        cleanup[0] = 0;
        head();
        puts("child");
        exit(0);
    }
}

static void leave_child(const char *path) {
    fflush(stdout);
    if (fork())
        return;
    cleanup[0] = 0;
    for (int i = 0; i < 3; i++)
        dup2(open("/dev/null", O_RDWR), i);
    while (access(path, F_OK))
        usleep(10000);
    exit(0);
}

static void aside(const char *path) {
    head();
    fflush(stdout);
    int kept = dup(1), other = open(path, O_WRONLY | O_CREAT, 0666);
    dup2(other, 1);
    puts("aside");
    fflush(stdout);
    dup2(kept, 1);
    close(other);
    close(kept);
}

static void note(const char *path) {
    if (!notes)
        notes = fopen(path, "a");
    fprintf(notes, "note %d\n", count);
    fflush(notes);
}

static void set(char *pair) {
    char *value = strchr(pair, ':');
    *value = 0;
    setenv(pair, value + 1, 1);
}

static void env(const char *name) {
    head();
    if (getenv(name))
        printf("%s=%s\n", name, getenv(name));
    else
        printf("%s is absent\n", name);
}

static void where(void) {
    char folder[4096];
    head();
    printf("cwd=%s\n", getcwd(folder, sizeof folder));
}

static void run(const char *command) {
    head();
    fflush(stdout);
    if (system(command))
        abort();
}

static void perform(const char *verb, char *value, int argc, char **argv) {
    if (!strcmp(verb, "keep"))
        sprintf(fields, "Accept-HTSession: %.128s\n", value);
    else if (!strcmp(verb, "count")) {
        head();
        printf("count=%d pid=%d\n", count, (int)getpid());
    } else if (!strcmp(verb, "echo")) {
        head();
        puts(value);
    } else if (!strcmp(verb, "env"))
        env(value);
    else if (!strcmp(verb, "set"))
        set(value);
    else if (!strcmp(verb, "environ")) {
        head();
        for (char **entry = environ; *entry; entry++)
            puts(*entry);
    } else if (!strcmp(verb, "body"))
        copy_body();
    else if (!strcmp(verb, "line"))
        line();
    else if (!strcmp(verb, "bytes"))
        all_bytes();
    else if (!strcmp(verb, "run"))
        run(value);
    else if (!strcmp(verb, "flush")) {
        head();
        fflush(stdout);
    } else if (!strcmp(verb, "exit"))
        exit(atoi(value));
    else if (!strcmp(verb, "deep"))
        nested(leave, atoi(value));
    else if (!strcmp(verb, "die")) {
        fprintf(stderr, "%s\n", value);
        nested(complain, 0);
    } else if (!strcmp(verb, "warn"))
        fprintf(stderr, "%s\n", value);
    else if (!strcmp(verb, "cd")) {
        if (chdir(value))
            abort();
    } else if (!strcmp(verb, "where"))
        where();
    else if (!strcmp(verb, "umask"))
        umask((mode_t)strtol(value, NULL, 8));
    else if (!strcmp(verb, "ignore"))
        signal(SIGUSR1, SIG_IGN);
    else if (!strcmp(verb, "arguments")) {
        head();
        printf("arguments=%d %s\n", argc - 1, argv[0]);
    } else if (!strcmp(verb, "close")) {
        head();
        fflush(stdout);
        close(atoi(value));
    } else if (!strcmp(verb, "aside"))
        aside(value);
    else if (!strcmp(verb, "cleanup")) {
        atexit(write_file);
        strncpy(cleanup, value, sizeof cleanup - 1);
    } else if (!strcmp(verb, "fork"))
        fork_child();
    else if (!strcmp(verb, "daemon"))
        leave_child(value);
    else if (!strcmp(verb, "note"))
        note(value);
    else if (!strcmp(verb, "revision")) {
        head();
        puts("revision-one");
    } else {
        fprintf(stderr, "unknown verb %s\n", verb);
        exit(1);
    }
}

int main(int argc, char **argv) {
    char query[8192], *rest = query, *part;
    count++;
    headed = 0;
    fields[0] = 0;
    snprintf(query, sizeof query, "%s", getenv("QUERY_STRING"));
    while ((part = strsep(&rest, "&"))) {
        char *value = part;
        char *verb = strsep(&value, "=");
        char none[1] = "";
        for (char *at = value; at && (at = strchr(at, '+'));)
            *at = ' ';
        if (*verb)
            perform(verb, value ? value : none, argc, argv);
    }
    head();
    return 0;
}
