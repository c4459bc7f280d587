"""The programs of the load, one promise in several languages.

Each remembers the `word` of its first request and counts its requests. The page is a line of what it knows
(count, word, nonce of this request, pid, handle, length of the body), the body as it came, and the word `fill`
times.

Words of the query: `word=W nonce=N fill=N`; `rotate=1` a new handle each time; `bye=1` ends the session;
`eat=1` wants more memory than there is; `hang=running|header|body` with `at=PATH`: makes PATH when it has come
so far and goes on when PATH.go exists.
"""

PERL = r"""#!/usr/bin/perl
use strict;
$| = 1;
binmode STDIN; binmode STDOUT;
open(my $requests, '<&=', $ENV{HTSESSION_FD}) or die;
my ($end, %call, %face) = ($ENV{HTSESSION_END});
my $shared = $0 =~ m{/shared/};
%call = %ENV;
my $body = '';
read STDIN, $body, $ENV{CONTENT_LENGTH} if $ENV{CONTENT_LENGTH};

sub take {
    my ($size, $taken) = (shift, '');
    while (length $taken < $size) { sysread($requests, $taken, $size - length $taken, length $taken) or exit }
    return $taken;
}

sub hang {
    my ($here, $do) = @_;
    return if ($do->{hang} // '') ne $here;
    open(my $file, '>', $do->{at}) or die; close $file;
    select undef, undef, undef, 0.01 until -e "$do->{at}.go";
}

while (1) {
    my %do = map { split /=/, $_, 2 } grep { /=/ } split /&/, $call{QUERY_STRING};
    delete $face{$_} for split / /, $call{HTSESSION_ENDED} // '';
    my $handle = $call{HTSESSION_HANDLE} // $call{HTSESSION_NEXT_HANDLE};
    my $face = $face{$shared ? $handle : ''} //= {word => $do{word}, count => 0};
    $face->{count}++;
    hang('running', \%do);
    my $all = 'x' x (1 << 36 * $do{eat}) if $do{eat};
    $handle = $call{HTSESSION_NEXT_HANDLE} if $do{rotate};
    if ($do{hang}) { print 'Content-Ty'; hang('header', \%do) }
    my $page = ($do{hang} ? '' : 'Content-Ty') . "pe: text/plain\n";
    $page .= "Accept-HTSession: $handle\n" if !$do{bye};
    $page .= "\ncount=$face->{count} word=$face->{word} nonce=$do{nonce} pid=$$ handle=$handle";
    $page .= ' length=' . length($body) . "\n$body";
    if ($do{hang}) { print $page; $page = ''; hang('body', \%do) }
    print $page, $face->{word} x ($do{fill} // 0), "\4$end\n";
    delete $face{$handle} if $do{bye};
    my ($size, $byte) = ('', '');
    while (sysread($requests, $byte, 1) && $byte ne ':') { $size .= $byte }
    exit if $size eq '';
    %call = split /\0/, substr(take($size + 1), 0, -2), -1;
    exit if $call{HTSESSION_END} ne $end;
    $body = take($call{CONTENT_LENGTH});
}
"""

PYTHON = """
import os, sys, time
count = 0

def hang(here, do):
    if do.get("hang") == here:
        sys.stdout.flush()
        open(do["at"], "w").close()
        while not os.path.exists(do["at"] + ".go"):
            time.sleep(0.01)

if __name__ == "__main__":
    do = dict(pair.split("=", 1) for pair in os.environ["QUERY_STRING"].split("&"))
    body = sys.stdin.buffer.read()
    word = do["word"] if not count else word
    count += 1
    hang("running", do)
    if "eat" in do:
        bytearray(1 << 36)
    offered = os.environ["HTSESSION_NEXT_HANDLE"]
    handle = offered if "rotate" in do else os.environ.get("HTSESSION_HANDLE", offered)
    sys.stdout.write("Content-Ty")
    hang("header", do)
    sys.stdout.write("pe: text/plain\\n" + ("" if "bye" in do else f"Accept-HTSession: {handle}\\n"))
    sys.stdout.write(f"\\ncount={count} word={word} nonce={do['nonce']} pid={os.getpid()} handle={handle}")
    sys.stdout.write(f" length={len(body)}\\n")
    sys.stdout.flush()
    sys.stdout.buffer.write(body)
    hang("body", do)
    sys.stdout.write(word * int(do.get("fill", 0)))
"""

C = r"""
#include "htsession.h"
#include <time.h>

static char word[64];

/* The value of a word of the query, empty without it. */
static const char *of(const char *name)
{
    static char values[8][256];
    static int turn;
    char *value = values[turn++ % 8], pattern[32];
    const char *query = getenv("QUERY_STRING"), *found;
    snprintf(pattern, sizeof pattern, "%s=", name);
    *value = '\0';
    for (found = query; found && (found = strstr(found, pattern)); found++)
        if (found == query || found[-1] == '&') {
            sscanf(found + strlen(pattern), "%255[^&]", value);
            break;
        }
    return value;
}

static void hang(const char *here)
{
    char go[300];
    struct timespec moment = {0, 10000000};
    if (strcmp(of("hang"), here))
        return;
    fflush(stdout);
    snprintf(go, sizeof go, "%s", of("at"));
    fclose(fopen(go, "w"));
    strcat(go, ".go");
    while (access(go, F_OK))
        nanosleep(&moment, NULL);
}

int main(void)
{
    static char body[1 << 20];
    for (unsigned count = 1; htsession_accept(); count++) {
        size_t length = fread(body, 1, sizeof body, stdin);
        const char *handle = *of("rotate") ? getenv("HTSESSION_NEXT_HANDLE") : htsession_handle();
        if (count == 1)
            snprintf(word, sizeof word, "%s", of("word"));
        hang("running");
        if (*of("eat"))
            memset(malloc((size_t)1 << 36), 1, 1 << 20);
        printf("Content-Ty");
        hang("header");
        printf("pe: text/plain\n");
        if (!*of("bye"))
            printf("Accept-HTSession: %s\n", handle);
        printf("\ncount=%u word=%s nonce=%s pid=%d handle=%s length=%zu\n", count, word, of("nonce"),
               (int)getpid(), handle, length);
        fwrite(body, 1, length, stdout);
        hang("body");
        for (int copies = atoi(of("fill")); copies > 0; copies--)
            fputs(word, stdout);
    }
    return 0;
}
"""

LIMITED, SHARED = "limited/looping", "shared/many"
ALL = ("native", LIMITED, "hosted.py", SHARED)
