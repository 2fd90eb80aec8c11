import pytest

from reconciler.diff import FieldChange, compare, document_differences
from reconciler.model import Resource, Snapshot


def snap(**attributes):
    return Snapshot(Resource("k", address.replace("__", "/"), value) for address, value in attributes.items())


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        ({"label": "A"}, {"label": "B"}, (FieldChange("label", "A", "B"),)),
        ({"label": "A"}, {"label": "A", "hidden": True}, (FieldChange("hidden", None, True, "added"),)),
        ({"label": "A", "hidden": None}, {"label": "A"}, (FieldChange("hidden", None, None, "removed"),)),
        (
            {"options": {"a": {"label": "A"}}},
            {"options": {"a": {"label": "Z"}, "b/c": {"label": "B"}}},
            (
                FieldChange("options/a/label", "A", "Z"),
                FieldChange("options/b%2Fc", None, {"label": "B"}, "added"),
            ),
        ),
        (
            {"options": {"a": {}, "b": {}, "c": {}}},
            {"options": {"c": {}, "a": {}, "b": {}}},
            (FieldChange("options", ["a", "b", "c"], ["c", "a", "b"]),),
        ),
        (
            {"options": {"a": {}, "b": {}}},
            {"options": {"a": {}, "new": {}, "b": {}}},
            (FieldChange("options/new", None, {}, "added"),),
        ),
    ],
)
def test_a_difference_names_its_fields(before, after, fields):
    """Nested mappings are compared by key, their order is one fact, and absent is not null."""
    (difference,) = compare(snap(a=before), snap(a=after))

    assert difference.fields == fields


def test_equal_snapshots_do_not_differ():
    """Comparing a snapshot with itself or its copy finds nothing."""
    one = snap(a={"options": {"x": {"label": "X"}}}, b={})

    assert compare(one, one) == ()
    assert compare(one, snap(b={}, a={"options": {"x": {"label": "X"}}})) == ()


def test_what_is_on_one_side_only_is_added_or_removed():
    """Differences come in address order, with all attributes of the side that has them."""
    created, gone = compare(snap(b={"label": "B"}), snap(a={}))

    assert (created.address, created.before, created.fields) == ("a", None, ())
    assert (gone.address, gone.after, gone.fields) == ("b", None, (FieldChange("label", "B", None, "removed"),))


def test_documents_of_any_shape_are_compared_by_path():
    """Messages about files can say where they differ."""
    before = {"changes": [{"address": "x", "fields": []}], "digest": "1"}
    after = {"changes": [{"address": "y", "fields": [1]}], "digest": "1", "new": None}

    assert document_differences(before, after) == ("changes/0/address", "changes/0/fields/0", "new")
