"""Builds the emulator's default definitions: build_defaults.py CATALOGUE.tsv reconciler/emulator/defaults.json.gz

The catalogue has facts (names, types, flags, times, option values); descriptions and most option labels are ours.
The result is a portal *before* the releases that ``emulator/actor.py`` plays, so that each of them has something to do;
whole definitions that a release brings are kept apart, under ``released``.
"""

import csv
import gzip
import json
import re
import sys
import zoneinfo
from pathlib import Path

STAGE_FAMILY = re.compile(r"hs_v2_(date_entered|date_exited|cumulative_time_in|latest_time_in)_")
FAMILY_GROUPS = {"contacts": "contactlcs", "companies": "companylcs", "deals": "dealstages", "tickets": "ticketstages"}
UNDATED = "2020-06-30T15:57:37.000Z"
ALSO_MISSING = {"carts": {"archive_[2024_cleanup]": "cart_information"}}
FIELD_TYPES = {
    "string": "text",
    "number": "number",
    "date": "date",
    "datetime": "date",
    "enumeration": "select",
    "bool": "booleancheckbox",
    "phone_number": "phonenumber",
    "object_coordinates": "text",
    "json": "text",
}
GROUP_LABELS = {
    "contactinformation": "Contact information",
    "contactlcs": "Contact lifecycle stages",
    "emailinformation": "Email information",
    "contact_activity": "Contact activity",
    "analyticsinformation": "Web analytics history",
    "conversioninformation": "Conversion information",
    "socialmediainformation": "Social media information",
    "facebook_ads_properties": "Facebook Ads properties",
    "deal_information": "Deal information",
    "sales_properties": "Sales properties",
    "order_information": "Order information",
    "smsinformation": "SMS information",
    "contactscripted": "Contact scripted",
    "multiaccountmanagement": "Multi-account management",
    "companyinformation": "Company information",
    "company_activity": "Company activity",
    "companylcs": "Company lifecycle stages",
    "company_signals": "Company signals",
    "targetaccountsinformation": "Target accounts information",
    "prospectingagent": "Prospecting agent",
    "buyer_intent_properties": "Buyer intent properties",
    "dealinformation": "Deal information",
    "dealstages": "Deal stages",
    "dealscripted": "Deal scripted",
    "deal_activity": "Deal activity",
    "deal_revenue": "Deal revenue",
    "hubspotmetrics": "HubSpot metrics",
    "predictive_deal_score_feature_properties": "Predictive deal score properties",
    "ticketinformation": "Ticket information",
    "ticketstages": "Ticket stages",
    "ticket_activity": "Ticket activity",
    "ticket_ai_enrichment": "Ticket AI enrichment",
    "callinformation": "Call information",
    "engagement": "Engagement",
    "lineiteminformation": "Line item information",
    "productinformation": "Product information",
    "campaigninformation": "Campaign information",
    "invoiceinformation": "Invoice information",
    "marketingeventinformation": "Marketing event information",
    "meeting_eventinformation": "Meeting information",
    "meetingeventinformation": "Meeting information (older)",
    "feedbacksubmissioninformation": "Feedback submission information",
    "noteinformation": "Note information",
    "taskinformation": "Task information",
}
LIFECYCLE = {
    "subscriber": "Subscriber",
    "lead": "Lead",
    "marketingqualifiedlead": "Marketing Qualified Lead",
    "salesqualifiedlead": "Sales Qualified Lead",
    "opportunity": "Opportunity",
    "customer": "Customer",
    "evangelist": "Evangelist",
    "other": "Other",
}
LEAD_STATUS = {
    "NEW": "New",
    "OPEN": "Open",
    "IN_PROGRESS": "In Progress",
    "OPEN_DEAL": "Open Deal",
    "UNQUALIFIED": "Unqualified",
    "ATTEMPTED_TO_CONTACT": "Attempted to Contact",
    "CONNECTED": "Connected",
    "BAD_TIMING": "Bad Timing",
}
INDUSTRIES = """
ACCOUNTING AIRLINES_AVIATION ALTERNATIVE_DISPUTE_RESOLUTION ALTERNATIVE_MEDICINE ANIMATION APPAREL_FASHION
ARCHITECTURE_PLANNING ARTS_AND_CRAFTS AUTOMOTIVE AVIATION_AEROSPACE BANKING BIOTECHNOLOGY BROADCAST_MEDIA
BUILDING_MATERIALS BUSINESS_SUPPLIES_AND_EQUIPMENT CAPITAL_MARKETS CHEMICALS CIVIC_SOCIAL_ORGANIZATION
CIVIL_ENGINEERING COMMERCIAL_REAL_ESTATE COMPUTER_NETWORK_SECURITY COMPUTER_GAMES COMPUTER_HARDWARE
COMPUTER_NETWORKING COMPUTER_SOFTWARE INTERNET CONSTRUCTION CONSUMER_ELECTRONICS CONSUMER_GOODS CONSUMER_SERVICES
COSMETICS DAIRY DEFENSE_SPACE DESIGN EDUCATION_MANAGEMENT E_LEARNING ELECTRICAL_ELECTRONIC_MANUFACTURING ENTERTAINMENT
ENVIRONMENTAL_SERVICES EVENTS_SERVICES EXECUTIVE_OFFICE FACILITIES_SERVICES FARMING FINANCIAL_SERVICES FINE_ART
FISHERY FOOD_BEVERAGES FOOD_PRODUCTION FUND_RAISING FURNITURE GAMBLING_CASINOS GLASS_CERAMICS_CONCRETE
GOVERNMENT_ADMINISTRATION GOVERNMENT_RELATIONS GRAPHIC_DESIGN HEALTH_WELLNESS_AND_FITNESS HIGHER_EDUCATION
HOSPITAL_HEALTH_CARE HOSPITALITY HUMAN_RESOURCES IMPORT_AND_EXPORT INDIVIDUAL_FAMILY_SERVICES INDUSTRIAL_AUTOMATION
INFORMATION_SERVICES INFORMATION_TECHNOLOGY_AND_SERVICES INSURANCE INTERNATIONAL_AFFAIRS
INTERNATIONAL_TRADE_AND_DEVELOPMENT INVESTMENT_BANKING INVESTMENT_MANAGEMENT JUDICIARY LAW_ENFORCEMENT LAW_PRACTICE
LEGAL_SERVICES LEGISLATIVE_OFFICE LEISURE_TRAVEL_TOURISM LIBRARIES LOGISTICS_AND_SUPPLY_CHAIN LUXURY_GOODS_JEWELRY
MACHINERY MANAGEMENT_CONSULTING MARITIME MARKET_RESEARCH MARKETING_AND_ADVERTISING
MECHANICAL_OR_INDUSTRIAL_ENGINEERING MEDIA_PRODUCTION MEDICAL_DEVICES MEDICAL_PRACTICE MENTAL_HEALTH_CARE MILITARY
MINING_METALS MOTION_PICTURES_AND_FILM MUSEUMS_AND_INSTITUTIONS MUSIC NANOTECHNOLOGY NEWSPAPERS
NON_PROFIT_ORGANIZATION_MANAGEMENT OIL_ENERGY ONLINE_MEDIA OUTSOURCING_OFFSHORING PACKAGE_FREIGHT_DELIVERY
PACKAGING_AND_CONTAINERS PAPER_FOREST_PRODUCTS PERFORMING_ARTS PHARMACEUTICALS PHILANTHROPY PHOTOGRAPHY PLASTICS
POLITICAL_ORGANIZATION PRIMARY_SECONDARY_EDUCATION PRINTING PROFESSIONAL_TRAINING_COACHING PROGRAM_DEVELOPMENT
PUBLIC_POLICY PUBLIC_RELATIONS_AND_COMMUNICATIONS PUBLIC_SAFETY PUBLISHING RAILROAD_MANUFACTURE RANCHING REAL_ESTATE
RECREATIONAL_FACILITIES_AND_SERVICES RELIGIOUS_INSTITUTIONS RENEWABLES_ENVIRONMENT RESEARCH RESTAURANTS RETAIL
SECURITY_AND_INVESTIGATIONS SEMICONDUCTORS SHIPBUILDING SPORTING_GOODS SPORTS STAFFING_AND_RECRUITING SUPERMARKETS
TELECOMMUNICATIONS TEXTILES THINK_TANKS TOBACCO TRANSLATION_AND_LOCALIZATION TRANSPORTATION_TRUCKING_RAILROAD
UTILITIES VENTURE_CAPITAL_PRIVATE_EQUITY VETERINARY WAREHOUSING WHOLESALE WINE_AND_SPIRITS WIRELESS
WRITING_AND_EDITING
"""
LANGUAGES = """
af:Afrikaans sq:Albanian ar:Arabic ar-eg:Arabic_-_Egypt hy:Armenian az:Azerbaijani eu:Basque be:Belarusian bn:Bengali
bg:Bulgarian ca:Catalan zh:Chinese zh-cn:Chinese_-_China zh-tw:Chinese_-_Taiwan hr:Croatian cs:Czech da:Danish nl:Dutch
nl-be:Dutch_-_Belgium en:English en-au:English_-_Australia en-gb:English_-_United_Kingdom en-us:English_-_United_States
et:Estonian fi:Finnish fr:French fr-be:French_-_Belgium fr-ca:French_-_Canada gl:Galician ka:Georgian de:German
de-at:German_-_Austria de-ch:German_-_Switzerland el:Greek gu:Gujarati he:Hebrew hi:Hindi hu:Hungarian is:Icelandic
id:Indonesian ga:Irish it:Italian ja:Japanese kn:Kannada kk:Kazakh ki:Kiswahili ko:Korean lv:Latvian lt:Lithuanian
mk:Macedonian ms:Malay mt:Maltese mr:Marathi mn:Mongolian no:Norwegian fa:Persian pl:Polish pt:Portuguese
pt-br:Portuguese_-_Brazil ro:Romanian ru:Russian sr:Serbian sk:Slovak sl:Slovenian es:Spanish es-mx:Spanish_-_Mexico
sw:Swahili sv:Swedish ta:Tamil te:Telugu th:Thai tr:Turkish tr-tr:Turkish_-_Turkey uk:Ukrainian ur:Urdu uz:Uzbek
vi:Vietnamese cy:Welsh
"""
TECHNOLOGIES = """
amazon_web_services asana atlassian_jira cloudflare docusign drift dropbox facebook_advertiser google_analytics
google_tag_manager google_workspace gong hotjar intercom klaviyo linkedin_insights magento mailchimp marketo
microsoft_azure microsoft_office_365 mixpanel optimizely outreach pardot paypal salesforce segment sendgrid shopify
slack snowflake stripe tableau twilio typeform webflow wordpress zendesk zoom
"""
SUB_ROLES = """
account_executive account_manager accountant architect attorney brand_marketing business_analyst content_marketing
controller customer_success data_engineer data_scientist demand_generation developer_relations executive_assistant
event_marketing field_sales financial_analyst general_counsel graphic_designer growth_marketing
human_resources_generalist information_security inside_sales investor_relations lifecycle_marketing network_engineer
payroll product_designer product_manager product_marketing project_manager purchasing quality_assurance recruiter
revenue_operations sales_development sales_engineer sales_operations search_marketing site_reliability social_media
software_engineer system_administrator talent_acquisition tax technical_support user_research web_developer
"""
SECTORS = """
accounting_services advertising analytics application_development artificial_intelligence automation big_data
brand_strategy business_intelligence cloud_computing collaboration compliance consulting content_management crm
customer_experience cyber_security data_integration data_warehouse devops digital_marketing ecommerce education
email_marketing energy engineering erp finance healthcare human_resources insurance internet_of_things logistics
machine_learning manufacturing market_research mobile open_source payments procurement project_management real_estate
recruiting retail robotics saas sales_enablement security software supply_chain sustainability telecommunications
training travel venture_capital
"""


def humanised(value: str) -> str:
    """A label for an internal word."""
    return re.sub(r"[_\s]+", " ", value).strip().capitalize() if value.isupper() or "_" in value else value


def words(block: str) -> dict[str, str]:
    """Values and labels of a block of words."""
    return {word: humanised(word) for word in block.split()}


def languages() -> dict[str, str]:
    """Values and labels of languages."""
    return {code: label.replace("_", " ") for code, label in (entry.split(":") for entry in LANGUAGES.split())}


def time_zones() -> dict[str, str]:
    """Values and labels of time zones, spelled HubSpot's way."""
    named = sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone and zone.split("/")[0] != "posix")
    zones = [zone for zone in named if not zone.startswith(("Etc", "right", "System"))]
    return {zone.lower().replace("/", "_slash_"): zone.replace("/", " ").replace("_", " ") for zone in zones}


FIXED_OPTIONS: dict[str, dict[str, str]] = {
    "lifecyclestage": LIFECYCLE,
    "hs_lead_status": LEAD_STATUS,
    "numemployees": {size: size for size in "1-5 5-25 25-50 50-100 100-500 500-1000 1000+".split()},
    "hs_content_membership_status": {"inactive": "Inactive", "active": "Active"},
    "hs_ideal_customer_profile": {"tier_1": "Tier 1", "tier_2": "Tier 2", "tier_3": "Tier 3"},
    "hs_target_account": {"tier_1": "Tier 1", "tier_2": "Tier 2", "tier_3": "Tier 3"},
    "industry": words(INDUSTRIES),
    "type": words("PROSPECT PARTNER RESELLER VENDOR OTHER"),
    "dealtype": {"newbusiness": "New Business", "existingbusiness": "Existing Business"},
    "hs_manual_forecast_category": {
        "OMIT": "Not forecasted",
        "PIPELINE": "Pipeline",
        "BEST_CASE": "Best case",
        "COMMIT": "Commit",
        "CLOSED": "Closed won",
    },
    "hs_resolution": words("ISSUE_FIXED WILL_NOT_FIX DUPLICATE NO_RESPONSE"),
    "hs_ticket_category": words("PRODUCT_ISSUE BILLING_ISSUE FEATURE_REQUEST GENERAL_INQUIRY"),
    "hs_ticket_priority": words("LOW MEDIUM HIGH URGENT"),
    "hs_product_type": {"inventory": "Inventory", "non_inventory": "Non-inventory", "service": "Service"},
    "hs_legal_basis": {
        "Legitimate interest – prospect/lead": "Legitimate interest – prospect/lead",
        "Legitimate interest – existing customer": "Legitimate interest – existing customer",
        "Legitimate interest - other": "Legitimate interest - other",
        "Performance of a contract": "Performance of a contract",
        "Freely given consent from contact": "Freely given consent from contact",
        "Not applicable": "Not applicable",
    },
    "hs_language": languages(),
    "hs_inferred_language_codes": languages(),
    "hs_ticket_language_ai_tag": languages(),
    "hs_timezone": time_zones(),
    "hs_standard_time_zone": time_zones(),
    "hs_sub_role": words(SUB_ROLES),
    "web_technologies": words(TECHNOLOGIES),
    "hs_keywords": words(SECTORS),
    "hs_associated_deal_registration_product_interests": words(SECTORS),
}
DESCRIPTIONS = {
    "email": "The address that mail to this contact goes to",
    "firstname": "The contact's first name",
    "lastname": "The contact's last name",
    "phone": "The main phone number",
    "lifecyclestage": "How far this record is in your marketing and sales process",
    "hs_lead_status": "Where the contact stands in sales, prospecting or outreach",
    "hubspot_owner_id": "The user this record is assigned to",
    "createdate": "When the record was created",
    "hs_object_id": "The unique number of this record. HubSpot sets it and it cannot be changed.",
    "name": "The name of the company",
    "domain": "The domain of the company's website",
    "industry": "The kind of business the company does",
    "dealname": "The name of this deal",
    "dealstage": "The stage of the deal in its pipeline",
    "pipeline": "The pipeline the deal is in; it decides which stages there are",
    "amount": "The total value of the deal",
    "closedate": "When the deal was or is expected to be closed",
    "subject": "A short summary of the ticket",
    "content": "What the ticket is about",
}
BEFORE = {  # object, property -> how it was before a release touched it
    ("contacts", "currentlyinworkflow"): {"label": "Currently in workflow"},
    ("contacts", "hs_feedback_last_nps_rating"): {"label": "Last NPS survey rating"},
    ("contacts", "hs_enriched_email_bounce_detected"): {"label": "Enriched Email Bounce Detected"},
    ("contacts", "num_associated_deals"): {"fieldType": "number"},
    ("contacts", "hs_searchable_calculated_international_phone_number"): {"type": "phone_number"},
    ("contacts", "hs_searchable_calculated_international_mobile_number"): {"type": "phone_number"},
    ("contacts", "email"): {"hasUniqueValue": False},
    ("contacts", "hs_additional_emails"): {
        "hasUniqueValue": False,
        "calculated": True,
        "modificationMetadata": {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": True},
    },
    ("deals", "hs_all_collaborator_owner_ids"): {
        "modificationMetadata": {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": True},
    },
    ("contacts", "hs_last_sales_activity_type"): {"groupName": ""},
}
RELEASED = re.compile(r"hs_feedback_last_nps_rating_number|hs_gps_\w+|hs_geohash_\d")
MOVES = re.compile(r"hs_time_to_move_from_(\w+)_to_customer")
LEGACY = "hs_lifecyclestage_{}_date"


def rows(catalogue: Path) -> list[dict[str, str]]:
    """The facts, without the names of which nothing else is known and without what pipelines generate."""
    with catalogue.open(encoding="utf-8") as stream:
        known = [row for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE) if row["type"]]
    return [row for row in known if not STAGE_FAMILY.match(row["name"])]


def options(row: dict[str, str]) -> list[dict[str, object]]:
    """The options of a property: the catalogue's values, or ours where it only counts them."""
    if row["externalOptions"] == "true" and row["name"] != "lifecyclestage":
        return []
    if row["type"] not in ("enumeration", "bool") and not row["optionValues"].isupper():
        return []
    listed = row["optionValues"].split("|") if row["optionValues"] and row["optionValues"][0] != "(" else []
    pairs = FIXED_OPTIONS.get(row["name"]) or {value: humanised(value) for value in listed}
    if set(pairs) == {"true", "false"}:
        pairs = {"true": "True", "false": "False"}
    pairs = {value: label for value, label in pairs.items() if value != "AI_REFERRALS"}
    if row["name"] == "hs_emailconfirmationstatus":
        pairs = {"": "", **pairs}
    return [
        {"label": label, "value": value, "displayOrder": order, "hidden": False}
        for order, (value, label) in enumerate(pairs.items())
    ]


def metadata(row: dict[str, str]) -> dict[str, bool]:
    """What a portal may change about a property."""
    changeable = {
        "archivable": row["archivable"] != "false",
        "readOnlyDefinition": row["readOnlyDefinition"] != "false",
    }
    if row["readOnlyOptions"]:
        changeable["readOnlyOptions"] = row["readOnlyOptions"] == "true"
    return changeable | {"readOnlyValue": row["readOnlyValue"] == "true"}


def definition(row: dict[str, str], dated: bool) -> dict[str, object]:
    """One property as the API shows it."""
    shown: dict[str, object] = {}
    created = row["createdAt"] or ("" if dated else UNDATED)
    if created:
        shown |= {"updatedAt": row["updatedAt"] or created, "createdAt": created}
    group = ALSO_MISSING.get(row["object"], {}).get(row["groupName"], row["groupName"])
    shown |= {
        "name": row["name"],
        "label": "Business units" if row["label"] == "Brands" else row["label"],
        "type": row["type"],
        "fieldType": row["fieldType"] or FIELD_TYPES[row["type"]],
        "description": DESCRIPTIONS.get(row["name"], f"{row['label']}, kept by HubSpot"),
        "groupName": group,
        "options": options(row),
    }
    if row["referencedObjectType"]:
        shown["referencedObjectType"] = row["referencedObjectType"]
    shown |= {
        "displayOrder": int(row["displayOrder"] or -1),
        "calculated": row["calculated"] == "true",
        "externalOptions": row["externalOptions"] == "true",
        "hasUniqueValue": row["hasUniqueValue"] == "true",
        "hidden": row["hidden"] == "true",
        "hubspotDefined": True,
        "modificationMetadata": metadata(row),
        "formField": row["formField"] == "true",
        "dataSensitivity": "non_sensitive",
    }
    if (row["object"], row["name"]) == ("deals", "amount"):
        shown |= {"showCurrencySymbol": True, "currencyPropertyName": "deal_currency_code"}
    if row["object"] == "contacts" and (move := MOVES.fullmatch(row["name"])):
        shown["calculationFormula"] = f"{LEGACY.format('customer')} - {LEGACY.format(move[1])}"
    return shown | BEFORE.get((row["object"], row["name"]), {})


def legacy_dates() -> list[dict[str, object]]:
    """The lifecycle dates that HubSpot removed from contacts in 2025."""
    row = dict.fromkeys(
        "referencedObjectType displayOrder readOnlyOptions optionValues calculated hasUniqueValue".split(), ""
    )
    row |= {"object": "contacts", "type": "datetime", "fieldType": "date", "groupName": "contactinformation"}
    row |= {"archivable": "true", "readOnlyDefinition": "true", "readOnlyValue": "true", "externalOptions": "false"}
    row |= {"hidden": "true", "formField": "false", "createdAt": "2019-08-06T02:41:10.000Z"}
    row |= {"updatedAt": "2023-05-01T20:02:33.973Z"}
    stages = {LEGACY.format(stage): f"Became a {label} Date" for stage, label in LIFECYCLE.items()}
    return [definition(row | {"name": name, "label": label}, True) for name, label in stages.items()]


def groups(object_name: str, properties: list[dict[str, object]]) -> list[dict[str, object]]:
    """The groups that the properties of an object are in, the biggest first."""
    used = [str(one["groupName"]) for one in properties if one["groupName"]]
    names = sorted(set(used) | {FAMILY_GROUPS.get(object_name, used[0])}, key=lambda name: (-used.count(name), name))
    return [
        {
            "archived": False,
            "name": name,
            "label": GROUP_LABELS.get(name) or humanised(name + "_"),
            "displayOrder": order,
        }
        for order, name in enumerate(names)
    ]


def build(catalogue: Path) -> dict[str, object]:
    """All objects of the catalogue."""
    facts = rows(catalogue)
    objects: dict[str, dict[str, object]] = {}
    for name in sorted({row["object"] for row in facts}):
        own = [row for row in facts if row["object"] == name]
        dated = any(row["createdAt"] for row in own)
        made = [definition(row, dated) for row in own] + (legacy_dates() if name == "contacts" else [])
        made.sort(key=lambda one: str(one["name"]))
        released = [one for one in made if name == "contacts" and RELEASED.fullmatch(str(one["name"]))]
        seeded = [one for one in made if one not in released]
        objects[name] = {"groups": groups(name, seeded), "properties": seeded, "released": released}
    return objects


def main() -> None:
    """Writes the data file, the same bytes for the same catalogue."""
    text = json.dumps(build(Path(sys.argv[1])), separators=(",", ":"), ensure_ascii=False)
    Path(sys.argv[2]).write_bytes(gzip.compress(text.encode(), 9, mtime=0))


main()
