# Fills a fresh database of Request Tracker: perl request-tracker-seed.pl ZONE
# The last line it prints says what is in it, as JSON. ZONE is the time zone of the API's user.
use strict;
use warnings;
use lib '/usr/share/request-tracker5/lib';
use JSON;
use RT;
RT::LoadConfig();
RT::Init();
use RT::AuthToken;
use RT::CurrentUser;

my ($zone) = @ARGV;
my $system = RT->SystemUser;

sub made {
    my ($object, @how) = @_;
    my ($ok, $message) = $object->Create(@how);
    die "$message\n" unless $ok;
    return $object;
}

sub must {
    my ($ok, $message) = @_;
    die "$message\n" unless $ok;
}

my %users;
for (
    ['gateway', 1, 'Gateway Service'], ['alice', 1, 'Alice Agent'], ['bob', 1, 'Bob Agent'],
    ['carol', 0, 'Carol Customer'], ['dave', 0, 'Dave Customer'],
) {
    my ($name, $privileged, $real) = @$_;
    $users{$name} = made(
        RT::User->new($system), Name => $name, EmailAddress => "$name\@example.test", RealName => $real,
        Privileged => $privileged, Password => "Passw0rd-$name");
}
must($users{gateway}->SetTimezone($zone));

my $agents = RT::Group->new($system);
must($agents->CreateUserDefinedGroup(Name => 'Agents'));
must($agents->AddMember($users{$_}->PrincipalId)) for qw(gateway alice bob);
my @queues;
for my $name ('Support', "Carol's Desk", 'Deliveries') {
    my $queue = made(
        RT::Queue->new($system), Name => $name, CorrespondAddress => 'support@example.test',
        Lifecycle => $name eq 'Deliveries' ? 'deliveries' : 'default');
    push @queues, $queue;
    must($agents->PrincipalObj->GrantRight(Right => $_, Object => $queue)) for qw(
        SeeQueue ShowTicket ShowTicketComments CreateTicket ReplyToTicket CommentOnTicket ModifyTicket
        TakeTicket ReassignTicket StealTicket Watch WatchAsAdminCc ShowOutgoingEmail SeeCustomField ModifyCustomField);
    # Bob works in Support only: a ticket elsewhere cannot be given to him.
    for my $owner (qw(gateway alice), $name eq 'Support' ? 'bob' : ()) {
        must($users{$owner}->PrincipalObj->GrantRight(Right => 'OwnTicket', Object => $queue));
    }
}
must($agents->PrincipalObj->GrantRight(Right => $_, Object => RT->System)) for qw(ManageAuthTokens ModifySelf AdminUsers);

my %fields;
for (['Site', 'Freeform', 1], ['Marker', 'Freeform', 1], ['Systems', 'Freeform', 0]) {
    my ($name, $type, $most) = @$_;
    my $field = $fields{$name} = made(
        RT::CustomField->new($system), Name => $name, Type => $type, MaxValues => $most,
        LookupType => 'RT::Queue-RT::Ticket');
    must($field->AddToObject($_)) for @queues;
}

my (undef, undef, $token) = RT::AuthToken->new(RT::CurrentUser->new($system))
    ->Create(Owner => $users{gateway}->Id, Description => 'gateway');
print encode_json({
    token => $token, queues => { map { $_->Name => int $_->Id } @queues },
    users => { map { $_ => int $users{$_}->Id } keys %users },
    fields => { map { $_ => int $fields{$_}->Id } keys %fields },
}), "\n";
