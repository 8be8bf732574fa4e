"""Django's migrations and models on a workspace: its own applications, foreign keys, unique columns, and changes of tables that others refer to."""

import subprocess
import sys

from pg_workspace import Workspace

PROGRAM = """
import sys
import django
from django.conf import settings
host, port, user, password, dbname = sys.argv[1:]
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "HOST": host, "PORT": port, "USER": user, "PASSWORD": password, "NAME": dbname}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "django.contrib.admin", "django.contrib.messages"],
    SECRET_KEY="of tests", DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True)
django.setup()
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import IntegrityError, connection, migrations, models, transaction
from django.db.migrations.state import ProjectState

call_command("migrate", verbosity=0, skip_checks=True)
call_command("migrate", verbosity=0, skip_checks=True)
assert Permission.objects.filter(content_type__app_label="auth").count() == 12
"""

MODELS = PROGRAM + """
state = ProjectState()
done = 0

def carry_out(*operations):
    global state, done
    done += 1
    migration = migrations.Migration(f"step{done}", "shop")
    migration.operations = list(operations)
    with connection.schema_editor(atomic=True) as editor:
        state = migration.apply(state, editor)
    return state.apps

def names(table):
    with connection.cursor() as c:
        return {name for name, told in connection.introspection.get_constraints(c, table).items() if told["unique"] or told["foreign_key"] or told["check"]}

carry_out(
    migrations.CreateModel("Author", [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=50, unique=True))]),
    migrations.CreateModel("Book", [("id", models.BigAutoField(primary_key=True)), ("title", models.CharField(max_length=80)),
        ("author", models.ForeignKey("shop.Author", on_delete=models.PROTECT, related_name="books")), ("pages", models.PositiveIntegerField(default=1))]),
    migrations.AddConstraint("Book", models.UniqueConstraint(fields=["author", "title"], name="one_title")),
    migrations.AddConstraint("Book", models.CheckConstraint(check=models.Q(pages__lt=5000), name="not_too_long")))
apps = carry_out(migrations.AddField("Book", "translator", models.ForeignKey("shop.Author", null=True, on_delete=models.PROTECT, related_name="translated")))
assert {"one_title", "not_too_long"} <= names("shop_book")
Author, Book = apps.get_model("shop", "Author"), apps.get_model("shop", "Book")
ann = Author.objects.create(name="Ann")
bob, created = Author.objects.get_or_create(name="Bob")
assert created and not Author.objects.get_or_create(name="Bob")[1]
Book.objects.bulk_create([Book(title=f"t{i}", author=ann, translator=bob if i % 2 else None, pages=i + 1) for i in range(20)])
assert Book.objects.filter(author__name="Ann", translator__isnull=True).count() == 10
assert list(Book.objects.values("author__name").annotate(n=models.Count("id"))) == [{"author__name": "Ann", "n": 20}]
Book.objects.filter(pages__gt=10).update(pages=models.F("pages") + 100)
assert Book.objects.aggregate(models.Max("pages"))["pages__max"] == 120

for wrong, name in ((lambda: Author.objects.create(name="Ann"), "name"), (lambda: Book.objects.create(title="t1", author=ann), "one_title"),
                    (lambda: Book.objects.create(title="n", author=ann, pages=6000), "not_too_long"), (lambda: Book.objects.create(title="n", author_id=77), "shop_book")):
    try:
        wrong()
        raise AssertionError(name)
    except IntegrityError as refused:
        assert name in str(refused), refused

# Columns of a table that another refers to, and back again.
apps = carry_out(migrations.AlterField("Author", "name", models.TextField(null=True)), migrations.RenameField("Author", "name", "called"),
                 migrations.AddField("Author", "born", models.IntegerField(default=1900)))
carry_out(migrations.RemoveConstraint("Book", "not_too_long"), migrations.AlterField("Book", "title", models.CharField(max_length=200, db_index=True)))
apps = carry_out(migrations.RenameModel("Author", "Writer"), migrations.RemoveField("Book", "translator"))
Writer, Book = apps.get_model("shop", "Writer"), apps.get_model("shop", "Book")
assert Writer.objects.create().called is None and Writer.objects.get(called="Ann").born == 1900
assert Book.objects.get(title="t3").author.called == "Ann" and "not_too_long" not in names("shop_book")
Book.objects.all().delete()
Writer.objects.all().delete()

user = User.objects.create_user("eve", password="secret")
user.groups.add(Group.objects.create(name="staff"))
assert User.objects.get(groups__name="staff").check_password("secret")
print("done")
"""


def test_migrations_and_models(module_project):
    login = Workspace(module_project).login
    ran = subprocess.run([sys.executable, "-c", MODELS, *(str(login[k]) for k in ("host", "port", "user", "password", "dbname"))], capture_output=True, text=True,
                         timeout=300)
    assert ran.returncode == 0 and ran.stdout.endswith("done\n"), ran.stdout + ran.stderr
