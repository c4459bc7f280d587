#!/usr/bin/env perl
# Host of returning Perl programs: runs one script again and again, with its package variables kept.
#
# Started as `perl perl.pl SCRIPT`; on the wire a looping program like any other (P1 to P11). Core modules only,
# Perl 5.20 or newer. Without a script it is a warm host (see zygote.pm).
#
# The script is perl's main program, as if perl had been started with it: this file puts a loop around its text
# (a source filter, perlfilter) and lets perl compile that in its own place. So `caller` is empty at the top of
# the script, an uncaught `die` is reported as always, BEGIN, INIT and END run once, `__FILE__`, `$0` and the
# lines are the script's own. Of the `#!` line, -T and -C have no effect. The script's folder stands in @INC
# behind the standard ones, as perl itself had it up to 5.24.
#
# What stays from call to call: package variables, what modules hold, open package handles, directory, signal
# handlers. What a call finds as the first one found it:
# - `my` variables of the file: new, for its named subs too. (In a sub around the script, as ModPerl::Registry
#   makes it, named subs would go on with those of the first call.) One to which something still holds a
#   reference (`push @all, \%row`, a closure kept in a package variable) belongs to its holder from then on:
#   named subs keep it, the top of the file gets a new one. A `my` in a block of its own around a sub is the
#   sub's alone: it stays.
# - what BEGIN put into a `my` variable of the file (shallow copies)
# - standard input, output and error, their layers, `$|`, the selected handle, DATA
# - `$/ $\ $, $" $;`, `$SIG{__DIE__}`, `$SIG{__WARN__}`, `$0`, `m?once?`, CGI.pm's parameters

BEGIN {
    package HTSession::Host;
    our %early = %INC;    # by PERL5OPT
    our ($here) = __FILE__ =~ m{^(.*)/}s;
    $here = defined $here ? $here =~ m{^/} ? $here : "./$here" : '.';
    if (!@ARGV && defined $ENV{HTSESSION_WARM}) {
        require "$here/$_.pm" for qw(pages ahead);
        delete @INC{"$here/pages.pm", "$here/ahead.pm"};
        HTSession::Ahead::load($here);
    }
}

BEGIN {
    package HTSession::Host;
    use strict;
    use warnings;
    use B ();
    use Filter::Util::Call ();

    our $here;
    my ($path, $is_plain, @lines, @data, @settings, @lexicals, @lent);
    my ($process, $calls, $exits) = ($$, 0, 0);

    # The first request, then the script's text for perl to compile. A script may end in the middle of its
    # documentation, therefore `=cut`.
    sub main {
        require "$here/../helpers/HTSession.pm";
        $INC{'HTSession.pm'} = delete $INC{"$here/../helpers/HTSession.pm"};
        my $script = shift @ARGV;
        if (!defined $script) {
            _usage() if !defined $ENV{HTSESSION_WARM};
            require "$here/zygote.pm";
            delete $INC{"$here/zygote.pm"};
            HTSession::Zygote::serve();
        }
        *CORE::GLOBAL::exit = \&_exit;
        HTSession::fetch() or CORE::exit(0);
        HTSession::remember_handles();
        $process = $$;
        _enter(defined $script ? $script : $ENV{SCRIPT_FILENAME});
        my $text = _read();
        $is_plain = !defined $script && HTSession::Zygote::is_plain($text);
        my ($code, $end, $data) = _cut($text);
        (my $shown = $path) =~ tr/"\n\r/?/;
        @lines = (
            "HTSESSION_CALL: while (HTSession::Host::begin()) {\n", qq(# line 1 "$shown"\n), split(/^/, $code),
            "\n", ";\n", "=pod\n", "\n", "=cut\n", "\n",
            $end ? "BEGIN { HTSession::Host::keep_data('$end', __PACKAGE__, \$^H) }" : '',
            "HTSession::Host::end() }\n",
        );
        @data = ($data);
        Filter::Util::Call::filter_add(sub { @lines ? do { $_ .= shift @lines; 1 } : 0 });
        return;
    }

    # Before every call: its request, and what is to be as it was at first.
    sub begin {
        _take_back() if @lent;
        return 0 if $calls && !HTSession::fetch();
        if (!$calls++) {
            HTSession::remember_layers();
            @settings = ($/, $\, $,, $", $;, @SIG{qw(__DIE__ __WARN__)});
            @lexicals = _lexicals();
        }
        ($/, $\, $,, $", $;, @SIG{qw(__DIE__ __WARN__)}) = @settings;
        { package main; CORE::reset(); }
        select STDOUT;
        $| = $- = 0 if $calls > 1;
        $0 = $path if $0 ne $path;
        _open_data() if @data > 1;
        ($@, $!, $?) = ('', 0, 0);
        $^T = CORE::time();    # -M, -A and -C count from here
        return 1;
    }

    # The end of a call, before perl leaves the block around the script.
    sub end {
        @SIG{qw(__DIE__ __WARN__)} = @settings[5, 6];    # a hook may hold variables of the script
        _lend() if @lexicals;
        return;
    }

    # DATA: what follows the script's last line, read anew in every call.
    sub keep_data {
        my ($end, $package, $hints) = @_;
        $package = 'main' if $end eq '__END__';
        @data = ($data[0], "${package}::DATA", $hints & 0x00800000 ? ':utf8' : '');    # HINT_UTF8 of utf8.pm
        return;
    }

    sub _usage {
        print STDERR 'usage: perl.pl SCRIPT, ',
            "with the variables of the pipe protocol (HTSESSION_FD, HTSESSION_END) set\n";
        CORE::exit(1);
    }

    # In the script's folder, under its name.
    sub _enter {
        $path = $_[0];
        if ($path !~ m{^/}) {
            require Cwd;
            $path = Cwd::getcwd() . "/$path";
        }
        my ($folder) = $path =~ m{^(.*)/}s;
        chdir(length $folder ? $folder : '/') or warn "$folder: $!\n";
        push @INC, $folder, grep { defined } $ENV{HTSESSION_LIB};
        $0 = $path;
        if (open my $name, '>', '/proc/self/comm') {
            print {$name} substr $path, length($folder) + 1, 15;
        }
        return;
    }

    sub _read {
        open my $file, '<:raw', $path or do {
            print STDERR qq(Can't open perl script "$path": $!\n);
            CORE::exit(2);
        };
        local $/;
        return scalar <$file>;
    }

    # A script's code, the word that ends it if there is one, and what comes behind.
    sub _cut {
        my ($text) = @_;
        $text =~ s/\A\xEF\xBB\xBF//;
        if ($text =~ /\A#!.*perl/) {
            1 while $text =~ s/\A(#!.*?\s-[wWXl]*)(?:[tTU]|C\w*)/$1/;
            $text =~ s/\A(#!.*?\s)-(?=\s)/$1/;
        }
        else {
            $text =~ s/\A#!/##/;    # perl would start the program that it names
        }
        my $in_pod = 0;
        while ($text =~ /^(?:=([a-zA-Z]\w*)|(__END__|__DATA__)[ \t\r]*$|[\x04\x1A])/mg) {
            if (defined $1) {
                $in_pod = $1 ne 'cut';
            }
            elsif (!$in_pod) {
                my $word = $2;
                my $code = substr $text, 0, $-[0];
                $text =~ /\G.*\n?/g;
                return ($code, $word, substr $text, pos($text) || length $text);
            }
        }
        return ($text, undef, '');
    }

    sub _open_data {
        no strict 'refs';
        open *{ $data[1] }, "<$data[2]", \$data[0] or warn "$data[1]: $!\n";
        return;
    }

    # `exit` of the script ends the call. Another status ends the process, with a whole response, and so does an
    # exit from a place that perl does not let a program leave by a jump: a signal handler, `sort`, a tied variable.
    sub _exit(;$) {
        my $status = @_ && defined $_[0] ? int $_[0] : 0;
        if ($status == 0 && $$ == $process) {
            local $SIG{__DIE__};
            end();
            no warnings 'exiting';
            eval { next HTSESSION_CALL };
            _take_back() if @lent;
        }
        $exits = 1;
        CORE::exit($status);
    }

    # Behind all END blocks of the script: a program that exits, or has shown by a hook of its own what it died of
    # (CGI::Carp), has ended its response.
    END {
        if ($process == $$ && ($exits || $SIG{__DIE__})) {
            local ($?, $!, $@);
            HTSession::finish();
        }
        HTSession::Zygote::leave() if $is_plain && $process == $$ && !$exits;
    }

    # The `my` variables of the file that its named subs share, or that BEGIN has set: [reference, count, copy].
    # When perl leaves the block, it clears a variable in its place, or puts a new one there if somebody else
    # holds the old one. So that named subs do not count as such, their counts are lent away while the block is
    # left (Internals::SvREFCNT); a variable that has more holders than after compilation is left to perl.
    sub _lexicals {
        my ($names, $values) = map { [$_->ARRAY] } B::main_cv()->PADLIST->ARRAY;
        my @found;
        for my $i (1 .. $#$names) {
            my $name = $names->[$i]->can('PV') ? $names->[$i]->PV : undef;
            next if !defined $name || $name !~ /^[\$\@%]./ || !$values->[$i]->can('object_2svref');
            my $shared   = $values->[$i]->REFCNT > 1;
            my $variable = $values->[$i]->object_2svref;
            my $copy     = _copy($variable);
            push @found, [$variable, &Internals::SvREFCNT($variable), $copy] if $shared || $copy;
        }
        return @found;
    }

    sub _copy {
        my ($variable) = @_;
        return @$variable ? [@$variable] : undef if ref $variable eq 'ARRAY';
        return %$variable ? {%$variable} : undef if ref $variable eq 'HASH';
        return defined $$variable ? \(my $value = $$variable) : undef;
    }

    # Each variable is reached through its one stored reference: another one would count.
    sub _lend {
        return if @lent;
        @lent = grep { &Internals::SvREFCNT($_->[0]) == $_->[1] && !_is_object($_->[0]) } @lexicals;
        &Internals::SvREFCNT($_->[0], 0) for @lent;
        return;
    }

    sub _is_object { B::svref_2object($_[0])->FLAGS & B::SVs_OBJECT() }    # perl never keeps such a variable

    sub _take_back {
        for (splice @lent) {
            &Internals::SvREFCNT($_->[0], &Internals::SvREFCNT($_->[0]) + $_->[1]);
            _restore($_->[0], $_->[2]) if $_->[2];
        }
        return;
    }

    sub _restore {
        my ($variable, $copy) = @_;
        if    (ref $variable eq 'ARRAY') { @$variable = @$copy }
        elsif (ref $variable eq 'HASH')  { %$variable = %$copy }
        else                             { $$variable = $$copy }
        return;
    }

}

BEGIN { HTSession::Host::main() }
