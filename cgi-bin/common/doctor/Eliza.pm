package Eliza;
# The same as eliza.py: the same rules (rules.json), the same answers.
use strict;
use warnings;
use ElizaRules;

our $LONGEST_TEXT   = 500;    # characters of what a patient says; the rest is not heard
our $LONGEST_MEMORY = 20;     # sentences to come back to; the oldest are forgotten
# No \s, \w, $: other languages mean other characters by them
our $BREAK = qr/[,;!?\n\x{2026}\x{2013}\x{2014}]|[.:](?![^\x00-\x20.:])/;
our $WORD  = qr/[^\x00-\x20\x7f-\xa0"()\[\]{}<>*_|\/`~^=+#\\\x{2000}-\x{200f}\x{2028}-\x{202f}\x{205f}-\x{206f}\x{3000}\x{feff}\x{201c}\x{201d}\x{201e}\x{ab}\x{bb}]+/;

sub new {
    my ($class, $file) = @_;
    my $rules = read_rules($file);
    return bless {rules => $rules, turns => {}, memory => [], over => 0}, $class;
}

sub begin { my ($self) = @_; return $self->say_next($self->{rules}{initial}) }
sub over  { my ($self) = @_; return $self->{over} }

sub end {
    my ($self) = @_;
    $self->{over} = 1;
    return $self->say_next($self->{rules}{final});
}

sub answer {
    my ($self, $text) = @_;
    my $rules   = $self->{rules};
    my @clauses = $self->clauses(substr $text, 0, $LONGEST_TEXT);
    return $self->end() if grep { $rules->{quit}{ lower(join ' ', @$_) } } @clauses;
    for my $words (@clauses) {
        my @waiting = $self->keywords(@$words) or next;
        my $answer;
        for my $name (@waiting) {
            $answer = $self->by_keyword($name, $words);
            last if defined $answer;
        }
        $answer = $self->without_keyword() if !defined $answer;
        $self->remember($waiting[0], $words);
        return $answer;
    }
    return $self->without_keyword();
}

# Lists of words, those of 'pre' replaced
sub clauses {
    my ($self, $text) = @_;
    my ($rules, @clauses) = ($self->{rules});
    $text =~ s/[\x{2018}\x{2019}]/'/g;
    for my $part (split $BREAK, $text, -1) {
        my @words = $part =~ /$WORD/g;
        s/^[.:'-]+//, s/[.:'-]+\z// for @words;
        my @clause;
        for my $word (substitute($rules->{pre}, grep { length } @words)) {
            if ($rules->{breaks}{ lower($word) }) {
                push @clauses, [@clause];
                @clause = ();
            } else {
                push @clause, $word;
            }
        }
        push @clauses, \@clause;
    }
    return @clauses;
}

# The highest rank first, of equals the one that came first
sub keywords {
    my ($self, @words) = @_;
    my ($keywords, %seen) = ($self->{rules}{keywords});
    my @found = grep { $keywords->{$_} && !$seen{$_}++ } map { lower($_) } @words;
    my %place;
    @place{@found} = 0 .. $#found;
    return sort { $keywords->{$b}{rank} <=> $keywords->{$a}{rank} || $place{$a} <=> $place{$b} } @found;
}

# Undefined if the next keyword is to be tried
sub by_keyword {
    my ($self, $name, $words) = @_;
    for my $rule (@{ $self->{rules}{keywords}{$name}{rules} }) {
        my $parts  = match($rule->{runs}, $words) or next;
        my $answer = $self->say_next($rule);
        return undef if $answer eq 'newkey';
        return $answer =~ /^goto (.+)/ ? $self->by_keyword(lower($1), $words) : $self->assemble($answer, $parts);
    }
    return undef;
}

sub without_keyword {
    my ($self) = @_;
    return @{ $self->{memory} } ? shift @{ $self->{memory} } : $self->say_next($self->{rules}{none});
}

sub remember {
    my ($self, $name, $words) = @_;
    for my $rule (@{ $self->{rules}{keywords}{$name}{memory} || [] }) {
        my $parts = match($rule->{runs}, $words) or next;
        push @{ $self->{memory} }, $self->assemble($self->say_next($rule), $parts);
        shift @{ $self->{memory} } if @{ $self->{memory} } > $LONGEST_MEMORY;
        return;
    }
    return;
}

sub say_next {
    my ($self, $rule) = @_;
    return $rule->{say}[ $self->{turns}{$rule}++ % @{ $rule->{say} } ];
}

# The answer with the patient's words in place of (1), (2) ..., a capital at its beginning
sub assemble {
    my ($self, $text, $parts) = @_;
    my @own = map { join ' ', substitute($self->{rules}{post}, @$_, '.') } @$parts;
    s/\.\z//, s/ +\z// for @own;
    $text =~ s/\(([0-9]+)\)/$own[$1 - 1]/g;
    $text =~ s/^ +| +\z//g;
    $text =~ s/ +/ /g;
    $text =~ s/ (?=[.,:?!])//g;
    $text =~ s/^([a-z])/\U$1/;
    return $text;
}

1;
