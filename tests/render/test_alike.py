from reconciler.render import FORMATS
from reconciler.render.style import Style


def item(name):
    return {
        "class": "vendor.options-changed",
        "address": f"properties/contacts/{name}",
        "severity": "medium",
        "fields": [{"path": "options/AI", "after": {"label": "AI"}}],
        "actor": {"type": "hubspot", "id": None, "confidence": "likely", "evidence": "updatedAt moved"},
        "at": None,
        "breaks": [],
        "ways": {},
    }


def test_what_a_release_does_to_many_is_told_once():
    """Three definitions that changed in the same way are one entry with their names; two are told one by one."""
    document = {"kind": "drift", "portal": {"name": "p", "portalId": 1}, "generatedAt": "2026-01-01T00:00:00Z"}
    style = Style(color=False, width=100)

    many = FORMATS["text"]({**document, "items": [item("a"), item("b"), item("c")], "exit": {"code": 2}}, style)
    few = FORMATS["text"]({**document, "items": [item("a"), item("b")], "exit": {"code": 2}}, style)

    assert many.count("+ option AI") == 1
    lines = [line.strip() for line in many.splitlines()]
    assert "medium  ~ options  3 properties, in the same way" in lines
    assert "a of contacts, b of contacts, c of contacts" in lines
    assert few.count("+ option AI") == 2


def test_what_a_release_takes_away_is_told_once():
    """Definitions that are gone in the same way are one entry as well, without an integration that it breaks."""
    gone = [
        {**item(name), "class": "vendor.removed", "severity": "high", "fields": [{"path": "label", "before": name}]}
        for name in "abcd"
    ]
    gone[3]["breaks"] = [{"integration": "erp", "why": "it needs the property, and it is gone"}]
    document = {"kind": "drift", "portal": {"name": "p", "portalId": 1}, "generatedAt": "2026-01-01T00:00:00Z"}

    text = FORMATS["text"]({**document, "items": gone, "exit": {"code": 2}}, Style(color=False, width=100))

    lines = [line.strip() for line in text.splitlines()]
    assert "high    - removed  3 properties, in the same way" in lines
    assert "a of contacts, b of contacts, c of contacts" in lines
    assert 'high    - removed  property d of contacts  "d"' in lines
