/* A looping program whose visitor says what it does: see looper.py. It is C99 and C++17. */
#include "htsession.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

static int count;

static void on_signal(int number)
{
    (void)number;
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

static void echo(int by_descriptor)
{
    char part[1000];
    for (;;) {
        ssize_t size = by_descriptor ? read(0, part, sizeof part) : (ssize_t)fread(part, 1, sizeof part, stdin);
        if (size <= 0)
            return;
        fwrite(part, 1, (size_t)size, stdout);
    }
}

static void line(void)
{
    char text[100];
    if (fgets(text, sizeof text, stdin))
        fputs(text, stdout);
}

static void run(const char *command)
{
    fflush(stdout);
    if (system(command) != 0)
        exit(4);
}

static void show(void)
{
    char *names = strdup(variable("HTTP_X_ARGUMENT"));
    for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
        printf("%c%s", getenv(name) ? '+' : '-', variable(name));
        putchar('\0');
    }
    free(names);
}

static int starting_with(const char *prefix)
{
    extern char **environ;
    int found = 0;
    for (char **name = environ; *name; name++)
        found += !strncmp(*name, prefix, strlen(prefix));
    return found;
}

static void in_fork(void)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (htsession_accept())
            puts("never");
        fflush(stdout);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    printf("parent");
}

static int descriptors(void)
{
    int found = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        found++;
    closedir(folder);
    return found;
}

static void redirect(const char *path)
{
    if (freopen(path, "w", stdout))
        puts("to the file");
}

static void close_all(void)
{
    printf("closed");
    fflush(stdout);
    for (int fd = 0; fd < 3; fd++)
        close(fd);
}

static void catch_signal(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGUSR1, &action, NULL);
}

static void answer(const char *verb, const char *argument, const char *program)
{
    char command[5000];
    snprintf(command, sizeof command, "QUERY_STRING=count '%s'", program);
    if (!strcmp(verb, "echo") || !strcmp(verb, "echo-descriptor"))
        echo(verb[4] == '-');
    else if (!strcmp(verb, "line"))
        line();
    else if (!strcmp(verb, "ignore"))
        printf("done");
    else if (!strcmp(verb, "child"))
        printf("<"), run("cat"), printf(">");
    else if (!strcmp(verb, "variables"))
        show();
    else if (!strcmp(verb, "prefix"))
        printf("%d", starting_with(argument));
    else if (!strcmp(verb, "set"))
        setenv("MINE", argument, 1);
    else if (!strcmp(verb, "handle"))
        printf("%s", htsession_handle());
    else if (!strcmp(verb, "fork"))
        in_fork();
    else if (!strcmp(verb, "nested"))
        run(command);
    else if (!strcmp(verb, "descriptors"))
        printf("%d", descriptors());
    else if (!strcmp(verb, "close"))
        close_all();
    else if (!strcmp(verb, "redirect"))
        redirect(argument);
    else if (!strcmp(verb, "almost"))
        printf("\4%s.\4", variable("HTSESSION_END"));
    else if (!strcmp(verb, "warn"))
        fprintf(stderr, "%s\n", argument);
    else if (!strcmp(verb, "exit"))
        printf("page"), exit(3);
    else if (!strcmp(verb, "catch"))
        catch_signal();
    else
        printf("%d", count);
}

int main(int argc, char **argv)
{
    (void)argc;
    setenv("MINE", "before the loop", 0);
    while (htsession_accept()) {
        count++;
        answer(variable("QUERY_STRING"), variable("HTTP_X_ARGUMENT"), argv[0]);
    }
    fprintf(stderr, "bye\n");
    return 0;
}
