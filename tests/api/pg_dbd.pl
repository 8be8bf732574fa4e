# What programs on Perl's DBI and DBD::Pg do, with the connection as libpq's environment has it. Prints one JSON object.
use strict;
use warnings;
use DBI;
use DBD::Pg qw(:pg_types);
use JSON::PP;

my $c = DBI->connect("dbi:Pg:", undef, undef, {RaiseError => 1, PrintError => 0, AutoCommit => 1});
my %told = (version => $c->{pg_server_version}, ping => $c->ping);
$c->do("CREATE TABLE t (id serial PRIMARY KEY, i int, n numeric(10, 2), t text NOT NULL DEFAULT 'x', b bytea, ts timestamptz, a int[], words text[])");
my $insert = $c->prepare("INSERT INTO t (i, n, t, b, ts, a, words) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id");
$insert->bind_param(4, undef, {pg_type => PG_BYTEA});
$insert->execute(1, '1.5', "h\x{e9}", "\0\xff", '2024-01-02 03:04:05+02', [1, undef], ['a', 'b,c']);
$told{id} = $insert->fetchrow_array;
$told{sequence} = $c->last_insert_id(undef, undef, undef, undef, {sequence => 't_id_seq'});
my $row = $c->selectrow_hashref("SELECT * FROM t WHERE id = ?", undef, 1);
$row->{b} = unpack("H*", $row->{b});
$told{row} = $row;
$told{placeholders} = $c->selectrow_arrayref('SELECT $1::int + $2::int, $3::text', undef, 1, 2, 'x');
$told{any} = $c->selectrow_array("SELECT count(*) FROM t WHERE i = ANY(?)", undef, [1, 2]);

$c->begin_work;
$c->do("INSERT INTO t (i) VALUES (9)");
eval { $c->do("SELECT nope") };
push @{$told{states}}, $c->state;
eval { $c->do("SELECT 1") };
push @{$told{states}}, $c->state;
$c->rollback;
$told{after} = $c->selectrow_array("SELECT count(*) FROM t");

$c->do("COPY t (i, t) FROM STDIN");
$c->pg_putcopydata("$_\tc$_\n") for 1 .. 3;
$c->pg_putcopyend;
$c->do("COPY (SELECT i, t FROM t WHERE t LIKE 'c%' ORDER BY id) TO STDOUT WITH CSV");
while ($c->pg_getcopydata(my $line) >= 0) { chomp $line; push @{$told{copied}}, $line }

$c->begin_work;
$c->do("DECLARE d CURSOR FOR SELECT i FROM range(250) r(i)");
while (my $n = @{$c->selectall_arrayref("FETCH 100 FROM d")}) { push @{$told{fetched}}, $n }
$c->commit;

$c->do("SET statement_timeout = 200");
eval { $c->do("SELECT count(*) FROM range(100000000000) r(i) WHERE sqrt(i) < 0") };
push @{$told{states}}, $c->state;
$c->do("RESET statement_timeout");
$told{key} = [$c->primary_key(undef, 'main', 't')];
$told{tables} = [map { $_->[2] } @{$c->table_info('', 'main', '%', 'TABLE')->fetchall_arrayref}];
$c->disconnect;
print JSON::PP->new->canonical->utf8->encode(\%told);
