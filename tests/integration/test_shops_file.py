"""People and shops from a file: whole or not at all, every fault with its line, the second run changes nothing."""

import base64
import io

import pytest
from django.core.management import CommandError, call_command

from cancellations.audit.models import AuditEvent
from cancellations.people.models import Person
from cancellations.shops.connection import connect
from cancellations.shops.models import Credential, Shop
from providers import registry
from tests.desk import stall
from tests.integration.pretend import PretendPlatform
from tests.integration.shops import everything_stored, make_person, make_shop, verbs

pytestmark = pytest.mark.django_db

GOOD = """\
[[person]]
username = "agent1"
password = { env = "AGENT1_PASSWORD" }
role = "agent"                      # agent | manager | admin
shops = ["corner"]

[[person]]
username = "boss"
password = "in-the-file-0815"
role = "manager"

[[shop]]
name = "corner"
title = "Corner shop"
platform = "pretend"
environment = "live"
options = { version = "2.0", list = false, reasons = { out_of_stock = "SHORTAGE" } }
credential = { user = "someone", secret = { env = "CORNER_SECRET" } }

[[shop]]
name = "second"
platform = "pretend"
environment = "sandbox"
base_url = "http://127.0.0.1:8765/pretend"
[shop.options]
mode = "token"
token_url = "http://127.0.0.1:8765/token"
[shop.credential]
user = "someone"
password = "another-canary"
"""


@pytest.fixture
def platform(monkeypatch) -> PretendPlatform:
    pretend = PretendPlatform()
    monkeypatch.setitem(registry.PROVIDERS, "pretend", pretend.provider())
    monkeypatch.setenv("AGENT1_PASSWORD", "canary-password-1")
    monkeypatch.setenv("CORNER_SECRET", "canary-secret-1")
    return pretend


@pytest.fixture
def configure(tmp_path, platform):
    def run(text: str) -> str:
        path = tmp_path / "shops.toml"
        path.write_text(text, encoding="utf-8")
        out, err = io.StringIO(), io.StringIO()
        try:
            call_command("configure", str(path), stdout=out, stderr=err)
        except CommandError as error:
            return f"{err.getvalue()}{error}".replace(str(path), "FILE")
        return out.getvalue()

    return run


def test_a_good_file_makes_people_and_shops(configure, platform):
    said = configure(GOOD)
    assert "shop corner: created" in said
    agent, boss = Person.objects.get(username="agent1"), Person.objects.get(username="boss")
    assert agent.check_password("canary-password-1")
    assert (agent.role, agent.every_shop, [one.name for one in agent.shops.all()]) == ("agent", False, ["corner"])
    assert (boss.role, boss.every_shop) == ("manager", True)
    corner, second = Shop.objects.get(name="corner"), Shop.objects.get(name="second")
    assert corner.base_url == "https://api.pretend.example"
    assert corner.options["reasons"] == {"out_of_stock": "SHORTAGE"}
    assert (corner.options["list"], corner.options["mode"]) == (False, "keys")
    assert second.title == "second"
    connect(corner)
    assert platform.opened[-1]["credential"] == {"user": "someone", "secret": "canary-secret-1"}


def test_S9_neither_what_it_says_nor_what_is_stored_holds_a_secret(configure):
    said = configure(GOOD)
    assert "canary" not in said + everything_stored() + repr(list(Person.objects.values()))
    assert set(AuditEvent.objects.values_list("origin", "actor", "actor_kind")) == {("command", "configure", "system")}


def test_a_second_run_changes_nothing_and_leaves_no_trace(configure):
    configure(GOOD)
    before = verbs()
    sealed = list(Credential.objects.values_list("sealed", flat=True))
    assert configure(GOOD) == "nothing changed\n"
    assert verbs() == before
    assert list(Credential.objects.values_list("sealed", flat=True)) == sealed


def test_only_what_differs_is_changed(configure):
    configure(GOOD)
    changed = GOOD.replace('"manager"', '"admin"').replace('"Corner shop"', '"Corner"').replace('"another-c', '"new-c')
    said = configure(changed)
    assert said.splitlines() == [
        "shop corner: settings changed", "shop second: keys replaced", "person boss: role or shops changed",
    ]  # fmt: skip
    assert verbs()[-3:] == ["shop.changed", "credential.replaced", "person.changed"]


def test_a_password_is_set_anew_only_when_it_differs(configure, monkeypatch):
    configure(GOOD)
    monkeypatch.setenv("AGENT1_PASSWORD", "canary-password-2")
    assert configure(GOOD) == "person agent1: password changed\n"
    assert Person.objects.get(username="agent1").check_password("canary-password-2")


def test_people_and_shops_the_file_does_not_name_stay_as_they_are(configure):
    other = make_shop(make_person("else1"), "elsewhere")
    configure(GOOD)
    assert Shop.objects.get(pk=other.pk).title == "Corner shop"
    assert Person.objects.filter(username="else1").exists()


def test_shops_left_out_means_every_shop_and_given_means_only_those(configure):
    configure(GOOD)
    configure(GOOD.replace('shops = ["corner"]\n', ""))
    agent = Person.objects.get(username="agent1")
    assert agent.every_shop
    assert not agent.access.exists()
    configure(GOOD.replace('shops = ["corner"]', "shops = []"))
    agent.refresh_from_db()
    assert not agent.every_shop


def test_keys_left_out_of_a_known_shop_stay(configure):
    configure(GOOD)
    without = GOOD.replace('credential = { user = "someone", secret = { env = "CORNER_SECRET" } }\n', "")
    assert configure(without) == "nothing changed\n"
    assert "credential" in configure(without.replace('version = "2.0"', 'version = "2.0", mode = "token"'))


FAULTS = [
    ('role = "agent"  ', 'role = "king"  ', "FILE:4: “role” is one of"),
    ('username = "agent1"', 'username = "agent1"\nemail = "x"', "FILE:3: “email” is not a key of [[person]]"),
    ('title = "Corner shop"', 'titel = "Corner shop"', "FILE:14: “titel” is not a key of [[shop]]"),
    ('shops = ["corner"]', 'shops = ["corner", "gone"]', "FILE:5: There is no shop “gone”"),
    ('shops = ["corner"]', 'shops = "corner"', "FILE:5: “shops” must be a list"),
    ('username = "boss"', 'username = "agent1"', "FILE:8: “agent1” is there twice"),
    ('name = "second"', 'name = "corner"', "FILE:21: “corner” is there twice"),
    ('name = "second"', 'name = "no good"', "FILE:21: “name” takes"),
    ('name = "second"', "name = 5", "FILE:21: “name” must be text"),
    ('name = "second"\n', "", "FILE:20: “name” is missing"),
    ('"pretend"\nenvironment = "live"', '"x"\nenvironment = "live"', "FILE:15: There is no platform"),
    ('environment = "live"', 'environment = "prod"', "FILE:16: “environment” is live or sandbox"),
    ('environment = "live"\n', "", "FILE:12: “environment” is missing"),
    ('version = "2.0"', 'version = "2.0", colour = "red"', "FILE:17: corner: options.colour:"),
    ('mode = "token"', 'mode = "tokn"', "FILE:26: second: options.mode: Choose one of"),
    ("list = false", 'list = "no"', "FILE:17: corner: options.list: Say true or false"),
    ("http://127.0.0.1:8765/pretend", "http://127.0.0.1:9999", "FILE:24: second: base_url:"),
    ("http://127.0.0.1:8765/token", "http://10.0.0.1", "FILE:27: second: options.token_url:"),
    ('user = "someone", secret', 'username = "someone", secret', "FILE:18: corner: credential.username:"),
    ('user = "someone", ', "", "FILE:18: corner: credential.user: User is missing"),
    ('{ env = "CORNER_SECRET" }', '{ env = "NOT_THERE" }', "FILE:18: The environment variable NOT_THERE is not set"),
    ('{ env = "CORNER_SECRET" }', '{ file = "x" }', "FILE:18: “secret” must be text, or"),
    ('{ env = "AGENT1_PASSWORD" }', '{ env = "NOT_THERE" }', "FILE:3: The environment variable NOT_THERE is not set"),
    ('password = "in-the-file-0815"\n', "", "FILE:7: “password” is missing"),
    ("[[person]]\nusername = \"boss\"", "[[people]]\nusername = \"boss\"", "FILE:7: “people” is not known"),
    ("[[shop]]\nname = \"corner\"", "[[shop]\nname = \"corner\"", "FILE:12: It is not TOML"),
    ("options = { version", "options = [ 1 ]\nxoptions = { version", "FILE:17: “options” must be a table"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "said"), FAULTS)
def test_a_fault_is_named_with_its_line_and_nothing_is_changed(configure, good, bad, said):
    assert good in GOOD
    answer = configure(GOOD.replace(good, bad, 1))
    assert said in answer
    assert "Nothing was changed" in answer
    assert "canary" not in answer
    assert not Shop.objects.exists()
    assert not Person.objects.exists()
    assert not AuditEvent.objects.exists()


def test_every_fault_of_a_file_is_named_at_once(configure):
    text = GOOD
    for good, bad in [
        ('role = "agent"  ', 'role = "king"  '),
        ('environment = "live"', 'environment = "prod"'),
        ('version = "2.0"', 'version = "much too long"'),
        ('{ env = "CORNER_SECRET" }', '{ env = "NOT_THERE" }'),
        ('mode = "token"', 'mode = "tokn"'),
    ]:
        text = text.replace(good, bad, 1)
    answer = configure(text)
    assert [line.split(":")[1] for line in answer.splitlines() if line.startswith("FILE:")] == [
        "4", "16", "17", "18", "26",
    ]  # fmt: skip


def test_a_fault_found_only_when_applying_undoes_everything(configure):
    configure(GOOD)
    answer = configure(GOOD.replace('"manager"', '"admin"').replace("Corner shop", "x" * 200))
    assert "FILE:14:" in answer
    assert Person.objects.get(username="boss").role == "manager"


def test_a_shop_never_moves_to_another_platform(configure, monkeypatch):
    configure(GOOD)
    monkeypatch.setitem(registry.PROVIDERS, "pretend2", PretendPlatform().provider())
    answer = configure(GOOD.replace('platform = "pretend"', 'platform = "pretend2"', 1))
    assert "FILE:15: A shop's platform never changes" in answer


def test_keys_are_judged_also_where_the_platform_is_wrong(configure, monkeypatch):
    configure(GOOD)
    monkeypatch.setitem(registry.PROVIDERS, "pretend2", PretendPlatform().provider())
    bad = GOOD.replace('platform = "pretend"', 'platform = "pretend2"', 1).replace('user = "someone"', "user = 5", 1)
    answer = configure(bad)
    assert "FILE:15: A shop's platform never changes" in answer
    assert "FILE:18: corner: credential.user" in answer


def test_capitals_make_nobody_new(configure):
    configure(GOOD)
    assert "person boss: role or shops changed" in configure('[[person]]\nusername = "BOSS"\nrole = "admin"\n')
    assert Person.objects.get(username="boss").role == "admin"
    assert not Person.objects.filter(username="BOSS").exists()


def test_a_weak_password_is_set_and_warned_about(configure):
    said = configure('[[person]]\nusername = "x"\npassword = "short"\nrole = "agent"\n')
    assert "the password is weak" in said
    assert "short" not in said.replace("too short", "")


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    err = io.StringIO()
    with pytest.raises(CommandError):
        call_command("configure", str(tmp_path / "none.toml"), stderr=err)
    assert "cannot be read" in err.getvalue()


# -- rotate_keys and platforms


def _rotate() -> str:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("rotate_keys", stdout=out, stderr=err)
    except CommandError as error:
        return f"{out.getvalue()}{err.getvalue()}{error}"
    return out.getvalue()


NEW_KEY = "t2:" + base64.b64encode(b"n" * 32).decode()


def test_S8_rotation_seals_everything_under_the_newest_key_and_may_be_repeated(configure, settings, platform):
    configure(GOOD)
    old = list(settings.CREDENTIAL_KEYS)
    settings.CREDENTIAL_KEYS = [NEW_KEY, *old]
    assert "2 sealed anew under t2, 0 were so already, 0 cannot be opened" in _rotate()
    assert "0 sealed anew under t2, 2 were so already" in _rotate()
    assert verbs().count("credential.resealed") == 2
    settings.CREDENTIAL_KEYS = [NEW_KEY]
    connect(Shop.objects.get(name="corner"))
    assert platform.opened[-1]["credential"]["secret"] == "canary-secret-1"


def test_a_rotation_learns_the_app_of_keys_entered_before_its_shops_shared_anything():
    app = stall("wechat", learn=False).shop.credential.app
    assert app
    Credential.objects.update(app="")
    assert "1 sealed anew" in _rotate()
    assert Credential.objects.get().app == app
    assert "0 sealed anew" in _rotate()


def test_a_rotation_stopped_half_way_leaves_every_shop_readable(configure, settings):
    configure(GOOD)
    settings.CREDENTIAL_KEYS = [NEW_KEY, *settings.CREDENTIAL_KEYS]
    sealed = Credential.objects.get(shop__name="second").sealed
    _rotate()
    Credential.objects.filter(shop__name="second").update(sealed=sealed)
    for shop in Shop.objects.all():
        connect(shop)
    assert "1 sealed anew under t2, 1 were so already" in _rotate()


def test_a_shop_whose_key_is_lost_is_named_and_the_others_are_done(configure, settings):
    configure(GOOD)
    kept = list(settings.CREDENTIAL_KEYS)
    settings.CREDENTIAL_KEYS = [NEW_KEY]
    answer = _rotate()
    assert "corner: sealed under the key 't1'" in answer
    assert "Put the missing key back" in answer
    settings.CREDENTIAL_KEYS = [NEW_KEY, *kept]
    assert "2 sealed anew" in _rotate()


def test_platforms_prints_every_field(platform):
    out = io.StringIO()
    call_command("platforms", stdout=out)
    said = out.getvalue()
    assert all(slug in said for slug in registry.PROVIDERS)
    assert "secret (secret, only with mode = keys): Shown once." in said
    assert "mode (keys | token, default keys)" in said
