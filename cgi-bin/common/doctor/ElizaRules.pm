package ElizaRules;
# What eliza.py has in rules.py and pattern.py: the file with the rules, patterns of words, phrases. rules.py has
# checked the file.
use strict;
use warnings;
use Exporter 'import';
use JSON::PP ();

our @EXPORT = qw(read_rules match substitute lower);

sub read_rules {
    my ($file) = @_;
    open my $handle, '<:raw', $file or die "$file: $!\n";
    my $table = JSON::PP->new->utf8->decode(do { local $/; <$handle> });
    close $handle;
    my %classes = map { $_ => set(@{ $table->{classes}{$_} }) } keys %{ $table->{classes} };
    my %keywords;
    for my $name (keys %{ $table->{keywords} }) {
        my $keyword = $keywords{ lower($name) } = $table->{keywords}{$name};
        $_->{runs} = runs($_->{when}, \%classes) for @{ $keyword->{rules} }, @{ $keyword->{memory} || [] };
    }
    return {
        quit => set(@{ $table->{quit} }), breaks => set(@{ $table->{breaks} }), keywords => \%keywords,
        (map { $_ => phrases($table->{$_}) } qw(pre post)),
        (map { $_ => {say => $table->{$_}} } qw(initial final none)),
    };
}

sub set { return {map { lower($_) => 1 } @_} }

sub phrases {
    my ($table) = @_;
    my $longest = 0;
    for my $phrase (keys %$table) {
        my $length = () = $phrase =~ /[^ ]+/g;
        $longest = $length if $length > $longest;
    }
    return {longest => $longest, table => {map { lower($_) => [ split ' ', $table->{$_} ] } keys %$table}};
}

sub runs {
    my ($pattern, $classes) = @_;
    my @runs = {anywhere => 0, places => []};
    for my $word (split ' ', lower($pattern)) {
        push(@runs, {anywhere => 1, places => []}), next if $word eq '*';
        my $words = $word eq '_' ? undef : $word =~ /^[@](.+)/ ? $classes->{$1} : set($word);
        push @{ $runs[-1]{places} }, {words => $words, part => scalar($word =~ /^[_@]/)};
    }
    return \@runs;
}

# Every phrase of the table replaced, longer ones first
sub substitute {
    my ($phrases, @words) = @_;
    my ($at, @result) = (0);
    WORD: while ($at < @words) {
        for my $length (reverse 1 .. $phrases->{longest}) {
            next if $at + $length > @words;
            my $instead = $phrases->{table}{ lower(join ' ', @words[ $at .. $at + $length - 1 ]) } or next;
            push @result, @$instead;
            $at += $length;
            next WORD;
        }
        push @result, $words[ $at++ ];
    }
    return @result;
}

# The words of each part if the pattern fits all words; no choice is taken back (see pattern.py)
sub match {
    my ($runs, $words) = @_;
    my @keys = map { lower($_) } @$words;
    my ($at, @parts) = (0);
    for my $run (@$runs) {
        my $start = start_of($run, \@keys, $at, $run == $runs->[-1]);
        return if !defined $start;
        push @parts, [ @$words[ $at .. $start - 1 ] ] if $run->{anywhere};
        for my $place (@{ $run->{places} }) {
            push @parts, [ $words->[$start] ] if $place->{part};
            $start++;
        }
        $at = $start;
    }
    return $at == @$words ? \@parts : undef;
}

# Where the places of a run fit, leftmost; the last run must reach the end
sub start_of {
    my ($run, $keys, $at, $last) = @_;
    my $places = $run->{places};
    my $end    = @$keys - @$places;
    my $first  = $run->{anywhere} && $last && $end > $at ? $end : $at;
    my $final  = $run->{anywhere} || $end < $at ? $end : $at;
    START: for my $start ($first .. $final) {
        for my $offset (0 .. $#$places) {
            my $words = $places->[$offset]{words};
            next START if $words && !$words->{ $keys->[ $start + $offset ] };
        }
        return $start;
    }
    return undef;
}

sub lower {
    my ($text) = @_;
    $text =~ tr/A-Z/a-z/;
    return $text;
}

1;
