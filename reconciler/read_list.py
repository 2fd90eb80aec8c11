"""What may be sent while only reading: the verbs and paths that cannot change a portal."""

import re

READ_HEADS = ("/crm/", "/crm-object-schemas/", "/account-info/", "/settings/")
_VERSION = r"\d{4}-\d\d(?:-beta)?"
_READING_POSTS = (  # compiled only where something is sent
    rf"""/crm/(?:v3/objects|objects/{_VERSION})/[^/]+/(?:search|batch/read)
    | /crm/(?:v3/properties|properties/{_VERSION})/[^/]+/batch/read
    | /oauth/v2/private-apps/get/access-token-info"""
)
_NO_LISTS = ("/account-info/", "/limits/", "/schemas/")


def only_reads(method: str, path: str) -> bool:
    """Whether a request, its path as it goes over the wire, leaves the portal as it is."""
    plain = path.partition("?")[0]
    if method == "GET":
        return plain.startswith(READ_HEADS)
    return method == "POST" and re.fullmatch(_READING_POSTS, plain, re.VERBOSE) is not None


def is_list(path: str) -> bool:
    """Whether the answer to a path that is read whole has to hold ``results``."""
    return not any(part in path for part in _NO_LISTS)
