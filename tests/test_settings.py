import pytest

from reconciler.cli import run
from reconciler.errors import UsageError
from reconciler.settings import Portal, load
from reconciler.workspace import Workspace

TWO = """\
version: 1
defaultPortal: demo
portals:
  demo: {emulator: .reconciler/demo.json}
  production:
    portalId: 1234567
    tokenEnv: PRODUCTION_TOKEN
    baseUrl: https://api.hubapi.com/
    apiVersion: 2026-03
watch: [contacts, deals, contacts]
retries: {tries: 3, waitSeconds: 7.5}
"""


def written(directory, text, name="reconciler.yaml"):
    (directory / name).write_text(text, encoding="utf-8")
    return directory


def refusal(directory, text):
    with pytest.raises(UsageError) as caught:
        load(written(directory, text))
    return str(caught.value)


def test_settings_are_read_with_their_defaults(tmp_path):
    """Every key has one meaning, and what is left out has the documented default."""
    settings = load(written(tmp_path, TWO))

    assert settings.portals == {
        "demo": Portal("demo", emulator=".reconciler/demo.json"),
        "production": Portal(
            "production",
            portal_id=1234567,
            token_env="PRODUCTION_TOKEN",
            base_url="https://api.hubapi.com",
            api_version="2026-03",
        ),
    }
    assert settings.watch == ("contacts", "deals")
    assert settings.retries == {"tries": 3, "wait_seconds": 7.5}
    assert settings.portals["demo"].token_env == "HUBSPOT_ACCESS_TOKEN"
    assert load(written(tmp_path, "version: 1\nportals: {x: {}}\n")).watch == (
        "contacts",
        "companies",
        "deals",
        "tickets",
    )


def test_a_pattern_has_one_spelling(tmp_path):
    """``50%`` protects and ignores the option that addresses call ``50%25``, and a wildcard stays one."""
    option = "properties/contacts/*/options"
    text = f"version: 1\nportals: {{x: {{}}}}\nprotected: ['{option}/50%', '{option}/50%25', '{option}/a%2fb']\n"
    settings = load(written(tmp_path, f"{text}ignore: [{{address: '{option}/50%', reason: r}}]\n"))

    assert settings.protected == (f"{option}/50%25", f"{option}/a%2Fb")
    assert settings.ignore[0].covers("properties/contacts/tier", "options/50%25")


def test_the_other_suffix_is_read_too(tmp_path):
    """``reconciler.yml`` is as good as ``reconciler.yaml``."""
    assert list(load(written(tmp_path, TWO, "reconciler.yml")).portals) == ["demo", "production"]


def test_the_portal_is_the_named_one_else_the_default_else_the_only_one(tmp_path):
    """-p comes first, then defaultPortal, then a portal without rival."""
    assert load(written(tmp_path, TWO)).portal("production").name == "production"
    assert load(written(tmp_path, TWO)).portal().name == "demo"
    assert load(written(tmp_path, "version: 1\nportals: {only: {}}\n")).portal().name == "only"


def test_a_choice_that_cannot_be_made_lists_the_names(tmp_path):
    """Whoever has to choose is told between what, and what a misspelt name may have meant."""
    several = load(written(tmp_path, "version: 1\nportals: {sandbox: {}, production: {}}\n"))

    with pytest.raises(UsageError, match="none was chosen: production, sandbox"):
        several.portal()
    with pytest.raises(UsageError, match="no portal 'prodution'") as caught:
        several.portal("prodution")
    assert caught.value.hint == "did you mean production?"


def test_missing_settings_lead_to_init(tmp_path):
    """A directory without settings says what to do."""
    with pytest.raises(UsageError, match="there are no settings") as caught:
        load(tmp_path)
    assert "reconciler init" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("version: 2\nportals: {x: {}}\n", "1:10", "not 1"),
        ("portals: {x: {}}\n", "1:1", "version is missing"),
        ("version: 1\n", "1:1", "portals is missing"),
        ("version: 1\nportals: {}\n", "2:1", "`portals` is empty"),
        ("version: 1\nportals: {x: {}}\nwatchs: []\n", "3:1", "did you mean watch?"),
        ("version: 1\nportals: {x: {portalID: 1}}\n", "2:15", "did you mean portalId?"),
        ('version: 1\nportals: {x: {portalId: "1"}}\n', "2:25", "write 1, without quotes"),
        ("version: 1\nportals: {x: {apiVersion: v4}}\n", "2:27", "not one of v3, 2026-03, 2026-09"),
        ("version: 1\nportals: {x: {baseUrl: http://example.com}}\n", "2:24", "http would send the token in the clear"),
        ("version: 1\nportals: {x: {baseUrl: https://user@example.com}}\n", "2:24", "not the right form"),
        ("version: 1\nportals: {x: {emulator: a.json, tokenEnv: T}}\n", "2:43", "an embedded portal has no tokenEnv"),
        ("version: 1\nportals: {../x: {}}\n", "2:11", "cannot be used as a name"),
        ("version: 1\ndefaultPortal: y\nportals: {x: {}}\n", "2:16", "there is no portal y"),
        ("version: 1\nportals: {x: {}}\nwatch: [contact]\n", "3:9", "write contacts"),
        ("version: 1\nportals: {x: {}}\nretries: {tries: 0}\n", "3:18", "the least is 1"),
        ("version: 1\nportals: {x: {}}\nlimits: {maxChanges: 1}\n", "3:1", "unknown key 'limits'"),
        ("version: 1\nportals: {x: [\n", "3:1", "[yaml-syntax]"),
        ("version: 1\nportals: {x: {}}\nwatch: [con/tacts]\n", "3:9", "not the right form"),
        ("version: 1\nportals: {x: {}}\nprotected: [propertis/contacts/a]\n", "3:13", "did you mean properties?"),
        ("version: 1\nportals: {x: {}}\nprotected: ['*', contacts/a]\n", "3:18", "begin with one of propertyGroups,"),
        ("version: 1\nportals: {x: {}}\nprotected: ['p*/contact/a']\n", "3:13", "write contacts"),
        ("version: 1\nportals: {x: {}}\nignore: [{address: property/*, reason: r}]\n", "3:20", "names no kind of"),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(tmp_path, text, place, message):
    """Settings have the same errors as specs: file, line, column, and the way out."""
    said = refusal(tmp_path, text)

    assert f"reconciler.yaml:{place}: " in said
    assert message in said


def test_every_problem_is_said_at_once(tmp_path):
    """Two mistakes, two messages, one run; a key that is there twice hides nothing that contradicts."""
    said = refusal(tmp_path, "version: 1\nportals:\n  a: {tokenEnv: 1x}\n  b: {portalId: 0}\n")
    twice = refusal(tmp_path, "version: 1\nversion: 1\nportals: {a: {}}\ndefaultPortal: b\n")

    assert 0 < said.index("reconciler.yaml:3:17") < said.index("reconciler.yaml:4:17")
    assert "reconciler.yaml:2:1: the key 'version' is here twice" in twice
    assert "reconciler.yaml:4:16: there is no portal b" in twice


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:9", "http://[::1]:80", "http://127.9.8.7"])
def test_http_is_for_this_machine(tmp_path, url):
    """Loopback needs no encryption."""
    assert load(written(tmp_path, f"version: 1\nportals: {{x: {{baseUrl: '{url}'}}}}\n")).portal().base_url == url


@pytest.mark.parametrize("url", ["http://127.0.0.1.example.com", "http://localhost.example.com", "http://1270.0.0.1"])
def test_a_name_that_looks_like_loopback_is_not(tmp_path, url):
    """Only loopback itself counts as this machine."""
    assert "insecure-url" in refusal(tmp_path, f"version: 1\nportals: {{x: {{baseUrl: '{url}'}}}}\n")


@pytest.mark.parametrize("url", ["https://[abc", "https://host:x", "https://host:99999", "https://:443"])
def test_an_address_that_is_none_is_refused(tmp_path, url):
    """What cannot be connected to is found offline, with its line."""
    said = refusal(tmp_path, f"version: 1\nportals: {{x: {{baseUrl: '{url}'}}}}\n")

    assert "reconciler.yaml:2:" in said
    assert "which is no address of a server" in said


@pytest.mark.parametrize("key", ["tokenEnv", "token", "accessToken"])
def test_a_token_in_the_file_is_not_repeated(tmp_path, key):
    """A token never reaches an error message, not even one about itself."""
    said = refusal(tmp_path, f"version: 1\nportals: {{x: {{{key}: pat-eu1-0123-4567-secret}}}}\n")

    assert "secret" not in said
    assert "pat-***" in said
    assert "a token never stands in a file" in said


@pytest.mark.parametrize("line", ["token: pat-eu1-1-secret\ntoken: pat-eu1-1-secret", "token: 'pat-eu1-1-secret"])
def test_a_token_in_a_file_that_is_no_sound_yaml_is_not_repeated(tmp_path, line):
    """The line under a message may hold it as well."""
    said = refusal(tmp_path, f"version: 1\nportals: {{x: {{}}}}\n{line}\n")

    assert "pat-***" in said
    assert "secret" not in said


def test_a_file_that_cannot_be_parsed_is_not_called_empty(tmp_path):
    """One fault is one message."""
    assert refusal(tmp_path, "version: 1\nportals: {x: ]\n").count("fix: ") == 1


def test_a_link_that_leads_nowhere_is_not_the_same_as_no_settings(tmp_path):
    """Whoever linked them wants them read."""
    (tmp_path / "reconciler.yaml").symlink_to("nowhere.yaml")

    with pytest.raises(UsageError, match="it is a link that leads nowhere"):
        load(tmp_path)


def test_one_file_holds_the_settings(tmp_path):
    """Two settings files are an error, and the second is named."""
    written(tmp_path, TWO, "reconciler.yml")

    assert "there is also reconciler.yml" in refusal(tmp_path, TWO)


def test_empty_settings_are_told_how_to_begin(tmp_path):
    """There is no key to drop in an empty file."""
    assert refusal(tmp_path, "").endswith(
        "fix: write what belongs into it, as `reconciler init` does in a new directory"
    )


def test_the_state_of_an_embedded_portal_may_lie_at_home(tmp_path, monkeypatch):
    """YAML is no shell, but whoever writes ``~/`` means no folder of that name."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    settings = load(written(tmp_path, "version: 1\nportals: {demo: {emulator: ~/demo.json}}\n"))

    workspace = Workspace(tmp_path / "specs", settings, settings.portals["demo"])

    assert workspace.emulator_file == tmp_path / "home" / "demo.json"


def test_a_file_is_no_specs_directory(tmp_path, monkeypatch, capsys):
    """Whoever names a spec file is told which directory holds it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "contacts.yaml").write_text("", "utf-8")

    for words in (["plan"], ["validate"]):
        assert run([*words, "--specs", "specs/contacts.yaml"]) == 3
        said = capsys.readouterr().err
        assert "specs/contacts.yaml is a file, and --specs names the directory of all specs" in said
        assert "--specs specs\n" in said
