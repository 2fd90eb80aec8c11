import pytest

from reconciler import address


@pytest.mark.parametrize(
    ("names", "written"),
    [
        (("properties", "contacts", "email"), "properties/contacts/email"),
        (("properties", "contacts", "tier", "options", "a/b"), "properties/contacts/tier/options/a%2Fb"),
        (("properties", "contacts", "tier", "options", "100%"), "properties/contacts/tier/options/100%25"),
        (("properties", "contacts", "tier", "options", ""), "properties/contacts/tier/options/"),
    ],
)
def test_names_survive_an_address(names, written):
    """An address is the path of names, and the names come back from it."""
    assert address.join(*names) == written
    assert address.split(written) == names


@pytest.mark.parametrize(
    ("pattern", "one", "matches", "covers"),
    [
        ("properties/contacts/*", "properties/contacts/email", True, True),
        ("properties/*", "properties/contacts/email", False, True),
        ("properties/contacts/cs_*", "properties/contacts/cs_tier/options/gold", False, True),
        ("properties/contacts/cs_*", "properties/contacts/hs_tier", False, False),
        ("properties/contacts/a.c", "properties/contacts/abc", False, False),
    ],
)
def test_a_star_stays_within_one_segment(pattern, one, matches, covers):
    """A pattern names one level; covering also takes what lies below it."""
    assert address.matches(pattern, one) is matches
    assert address.covers(pattern, one) is covers
