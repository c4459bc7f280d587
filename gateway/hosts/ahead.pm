package HTSession::Ahead;

# What a warm perl host loads ahead of need, and in which order: what every process uses comes last, into fresh
# memory, side by side (pages.pm says why).
#
# What scripts use is hidden until one asks for it: perl searches @INC as in a cold start, and a module of the
# same name that lies in a folder before the standard ones is taken.

use strict;
use warnings;

my @SCRIPTS = qw(CGI.pm File/Spec.pm HTML/Entities.pm);
my @HOST    = qw(B.pm Filter/Util/Call.pm);    # what the host uses, cold or warm
# The classes of what the host looks at in a script that is compiled
my @CLASSES = qw(SPECIAL NULL IV NV PV PVMG REGEXP GV LV AV HV CV IO PADLIST PADNAMELIST PADNAME);
# A name is kept once for all hashes that have it as a key, and perl counts these
my @NAMES = qw(
    GATEWAY_INTERFACE SERVER_SOFTWARE SERVER_NAME SERVER_ADDR SERVER_PORT SERVER_PROTOCOL SERVER_ADMIN
    REQUEST_METHOD REQUEST_SCHEME REQUEST_URI QUERY_STRING SCRIPT_NAME SCRIPT_FILENAME DOCUMENT_ROOT
    CONTEXT_PREFIX CONTEXT_DOCUMENT_ROOT REMOTE_ADDR REMOTE_PORT UNIQUE_ID PATH_INFO PATH_TRANSLATED
    CONTENT_TYPE CONTENT_LENGTH SCGI HTTP_HOST HTTP_ACCEPT HTTP_ACCEPT_ENCODING HTTP_ACCEPT_LANGUAGE
    HTTP_CONNECTION HTTP_COOKIE HTTP_REFERER HTTP_USER_AGENT HTSESSION_END HTSESSION_FD HTSESSION_FIRST
    HTSESSION_HANDLE HTSESSION_MAX_TIMEOUT HTSESSION_NEXT_HANDLE HTSESSION_TIMEOUT
);
my %names;

# What is hidden, by the first part of its packages' names: its symbol table, its files as in %INC, the trees
# that are loaded along with it.
my %trees;
my @joined;    # symbol tables that are no longer in use, but by compiled code

# All of it. `folder`: that of the hosts. What is made after this call lies in fresh memory.
sub load {
    my ($folder) = @_;
    HTSession::Pages::fill();
    $names{$_} = 1 for @NAMES;
    { no strict 'refs'; () = %{"B::${_}::"} for @CLASSES; }
    require $_ for @HOST;
    _settle();
    _load_hidden();
    HTSession::Pages::fill();
    require "$folder/../helpers/HTSession.pm";
    require "$folder/zygote.pm";
    return;
}

# What perl looks for once, with every class of B: its methods, its DESTROY.
sub _settle {
    my ($names, $values) = map { [$_->ARRAY] } B::svref_2object(\&load)->PADLIST->ARRAY;
    my @variables = (\undef, \1, \1.5, \'', \my $new, [], {}, sub { }, qr/x/, \*STDOUT, *STDOUT{IO});
    for my $object (@$names, @$values, map { B::svref_2object($_) } @variables) {
        $object->can($_) && $object->$_ for qw(PV object_2svref REFCNT FLAGS);
    }
    return;
}

# Load what CGI scripts use and hide it.
sub _load_hidden {
    my %visible = map { _tree($_) => 1 } keys %INC;
    for my $file (@SCRIPTS) {
        my %before = %INC;
        eval { require $file } or next;
        my @loaded = grep { !$before{$_} && !$visible{ _tree($_) } } keys %INC;
        $trees{ _tree($_) }{files}{$_} = $INC{$_} for @loaded;
        $trees{ _tree($file) }{needs} = [map { _tree($_) } @loaded];
    }
    for my $tree (keys %trees) {
        delete @INC{ keys %{ $trees{$tree}{files} } };
        $trees{$tree}{symbols} = delete $main::{"${tree}::"};
    }
    unshift @INC, \&_find;
    return;
}

sub _tree {
    my ($tree) = $_[0] =~ m{^([^/.]+)};
    return $tree;
}

# perl asks here for a module that no folder before the standard ones has (perlfunc, require).
sub _find {
    my ($self, $file) = @_;
    my $tree = $trees{ _tree($file) };
    return if !$tree || !$tree->{files}{$file} || !_show(_tree($file));
    _show($_) for @{ $tree->{needs} || [] };
    return \'1;';
}

# False when the program has something of its own under that name: then it is loaded as in a cold start. What
# was only spoken of so far (`Carp::croak(...)` in a module that comes before Carp) becomes what is shown.
sub _show {
    my ($name) = @_;
    my $tree   = $trees{$name} or return;
    my $hidden = *{ $tree->{symbols} }{HASH};
    my $own    = exists $main::{"${name}::"} ? *{ $main::{"${name}::"} }{HASH} : {};
    return if !_is_only_named($own, $hidden);
    _move_packages($own, $hidden);

    # Not `$main::{...} =`: perl would not learn the packages' names, and crash when it looks for them (mro_core.c)
    { no strict 'refs'; *{"main::${name}::"} = $hidden; }
    _join("${name}::", $own);
    push @joined, $own;
    @INC{ keys %{ $tree->{files} } } = values %{ $tree->{files} };
    delete $trees{$name};
    return 1;
}

# Whether two symbol tables can be one: no symbol of the first has a value, but for those of packages within it
# that the second has not.
sub _is_only_named {
    my ($own, $hidden) = @_;
    for my $name (keys %$own) {
        my $symbol = \$own->{$name};
        if ($name =~ /::\z/) {
            return 0 if exists $hidden->{$name} && !_is_only_named(map { *{ $_->{$name} }{HASH} } $own, $hidden);
            next;
        }
        return 0 if ref $symbol ne 'GLOB' || grep { defined *{$symbol}{$_} } qw(CODE IO FORMAT);
        return 0 if defined ${ *{$symbol}{SCALAR} } || grep { $_ && %$_ } *{$symbol}{HASH};
        return 0 if grep { $_ && @$_ } *{$symbol}{ARRAY};
    }
    return 1;
}

# What lies in packages within the first one that the second has not.
sub _move_packages {
    my ($own, $hidden) = @_;
    for my $name (grep { /::\z/ } keys %$own) {
        if (exists $hidden->{$name}) {
            _move_packages(map { *{ $_->{$name} }{HASH} } $own, $hidden);
        }
        else {
            $hidden->{$name} = delete $own->{$name};
        }
    }
    return;
}

# The symbols that compiled code holds already get what those of the shown package have.
sub _join {
    my ($package, $own) = @_;
    no strict 'refs';
    for my $name (keys %$own) {
        my $symbol = \$own->{$name};    # a copy would be another one
        if ($name =~ /::\z/) {
            _join("$package$name", *{$symbol}{HASH});
        }
        else {
            *{$symbol} = *{"$package$name"};
        }
    }
    return;
}

1;
