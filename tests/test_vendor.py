import pytest

from reconciler import vendor
from reconciler.kinds.properties import canonical
from reconciler.model import Resource


def prop(name, **raw):
    raw = {"name": name, "label": name, "options": [], **raw}
    return Resource("properties", f"properties/contacts/{name}", canonical(raw), raw)


def of_hubspot(name, **raw):
    return prop(name, hubspotDefined=True, **raw)


@pytest.mark.parametrize(
    ("resource", "family"),
    [
        (prop("cs_plan_tier", archived=False), "custom"),
        (prop("zoom_webinar_joinlink", archived=False), "custom"),
        (of_hubspot("firstname"), "global"),
        (of_hubspot("hs_deal_score"), "global"),
        (of_hubspot("hs_v2_date_entered_lead"), "stage"),
        (
            of_hubspot("hs_v2_cumulative_time_in_fe6d757f_ff23_41e0_9a71_9d1fc159a9c6_1517971526", archived=False),
            "stage",
        ),
        (of_hubspot("hs_time_in_10459182", archived=False), "stage"),
        (of_hubspot("hs_v2_date_entered_current_stage"), "global"),
        (of_hubspot("hs_lifecyclestage_lead_date"), "global"),
        (of_hubspot("hs_email_optout_237525689", archived=False), "subscription"),
        (of_hubspot("blog_default_hubspot_blog_subscription", archived=False), "subscription"),
        (of_hubspot("engagement_score_10_30_2024", archived=False), "score"),
        (of_hubspot("engagement_score_10_30_2024_threshold", archived=False), "score"),
        (of_hubspot("salesforceaccountid", archived=False), "sync"),
        (of_hubspot("recurring_revenue_amount", archived=False), "sync"),
        (of_hubspot("hs_support_workflows_april_2021", archived=False), "local"),
        (of_hubspot("hs_sa_first_engagement_descr", archived=False), "global"),
        (prop("a12345_external_id", archived=False), "sync"),
    ],
)
def test_the_missing_archived_key_tells_whose_a_property_is(resource, family):
    """Without the key it is HubSpot's everywhere; with it, the name says what made it appear in this portal."""
    assert vendor.family(resource) == family


@pytest.mark.parametrize(
    ("resource", "family"),
    [
        (prop("cs_plan_tier"), "custom"),
        (of_hubspot("firstname", archived=False), "global"),
        (of_hubspot("hs_v2_date_entered_lead", archived=False), "stage"),
        (of_hubspot("hs_email_optout_237525689"), "subscription"),
        (of_hubspot("hs_deal_score", archived=False), "global"),
    ],
)
def test_names_stand_in_where_the_key_tells_nothing(resource, family):
    """A list in which HubSpot sends the key everywhere, or nowhere, is told apart by names."""
    assert vendor.family(resource, archived_tells=False) == family


@pytest.mark.parametrize(
    ("listed", "tells"),
    [
        ([of_hubspot("firstname"), prop("own", archived=False)], True),
        ([of_hubspot("firstname", archived=False), prop("own", archived=False)], False),
        ([of_hubspot("firstname"), prop("own")], False),
        ([], False),
    ],
)
def test_the_rule_holds_where_only_defaults_lack_the_key(listed, tells):
    """The rule is documented nowhere, so every list is asked whether it holds."""
    assert vendor.archived_tells(listed) is tells


def test_groups_and_labels_have_their_own_signs():
    """Groups are told by the names HubSpot ships, labels by their category, stages are always the portal's."""
    group = Resource("propertyGroups", "propertyGroups/contacts/contactinformation", {}, {})
    own = Resource("propertyGroups", "propertyGroups/contacts/customer_success", {}, {})
    label = Resource("associationLabels", "associationLabels/a/b/c", {}, {"category": "HUBSPOT_DEFINED"})
    used = Resource("associationLabels", "associationLabels/a/b/d", {}, {"category": "USER_DEFINED"})
    stage = Resource("lifecycleStages", "lifecycleStages/lead", {}, {})

    found = [vendor.family(one) for one in (group, own, label, used, stage)]

    assert found == ["global", "custom", "global", "custom", "custom"]


@pytest.mark.parametrize(
    ("label", "pipeline"),
    [
        ("Date entered 'Customer (Lifecycle Stage Pipeline)'", "Lifecycle Stage Pipeline"),
        ('Latest time in "Lead (hot) (Sales (EU))"', "Sales (EU)"),
        ("Date entered something", ""),
    ],
)
def test_the_label_of_a_stage_property_names_its_pipeline(label, pipeline):
    """The pipeline stands in the last parentheses."""
    assert vendor.pipeline(of_hubspot("hs_date_entered_1", label=label)) == pipeline


@pytest.mark.parametrize(
    ("before", "after", "gains"),
    [
        ("Currently in workflow", "Currently in workflow (discontinued)", True),
        ("Bounce", "Bounce (Deprecated)", True),
        ("Survey (legacy)", "Survey rating (Legacy)", False),
        ("Survey (legacy)", "Survey (legacy, deprecated)", True),
        ("Survey (deprecated)", "Survey", False),
        ("Legacyware id", "Legacyware ID", False),
    ],
)
def test_a_label_that_newly_says_it_is_given_up(before, after, gains):
    """Only a word that was not there before counts."""
    assert vendor.gains_deprecation(before, after) is gains
