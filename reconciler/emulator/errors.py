"""Refusals that render themselves as HubSpot's error bodies."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

Context = Mapping[str, Sequence[str]]


class ApiError(Exception):
    """An answer that is not 2xx; fields HubSpot leaves out of a body are None here."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        category: str | None = None,
        sub_category: str | None = None,
        context: Context | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        links: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.category = category
        self.sub_category = sub_category
        self.context = context
        self.errors = errors
        self.links = links
        self.headers = headers or {}

    def body(self, correlation_id: str) -> dict[str, Any]:
        """The error as JSON, without the fields that this refusal does not have."""
        optional = {
            "context": self.context and {key: list(values) for key, values in self.context.items()},
            "category": self.category,
            "subCategory": self.sub_category,
            "errors": list(self.errors) or None,
            "links": self.links,
        }
        known = {"status": "error", "message": self.message, "correlationId": correlation_id}
        return known | {key: value for key, value in optional.items() if value is not None}


class EmptyNotFound(ApiError):
    """A 404 whose body is empty, or HTML for whoever does not ask for JSON."""

    def __init__(self) -> None:
        super().__init__(404, "")


def validation_error(
    message: str,
    sub_category: str | None = None,
    *,
    context: Context | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
) -> ApiError:
    """400 VALIDATION_ERROR."""
    return ApiError(
        400, message, category="VALIDATION_ERROR", sub_category=sub_category, context=context, errors=errors
    )


def not_found(message: str, *, context: Context | None = None) -> ApiError:
    """404 OBJECT_NOT_FOUND."""
    return ApiError(404, message, category="OBJECT_NOT_FOUND", context=context)


def already_exists(message: str, sub_category: str | None = None, *, context: Context | None = None) -> ApiError:
    """409 OBJECT_ALREADY_EXISTS."""
    return ApiError(409, message, category="OBJECT_ALREADY_EXISTS", sub_category=sub_category, context=context)


def missing_scopes(scopes: Sequence[str]) -> ApiError:
    """403 MISSING_SCOPES; without names it is the one that a write-only key gets on reads."""
    message = "One or more of the following scopes are required."
    if not scopes:
        message = "This app hasn't been granted all required scopes to make this call."
    links = {"scopes": "https://developers.hubspot.com/scopes"}
    context = {"requiredGranularScopes": list(scopes)} if scopes else None
    return ApiError(403, message, category="MISSING_SCOPES", context=context, links=links)


def unable_to_infer(object_type: str) -> ApiError:
    """400 for a path that names no object type; HubSpot gives this one no category."""
    return ApiError(400, f"Unable to infer object type from: {object_type}")


def invalid_json(detail: str, line: int = 1, column: int = 1) -> ApiError:
    """400 for a body that is no JSON, or not the JSON that the route wants; without a category."""
    return ApiError(400, f"Invalid input JSON on line {line}, column {column}: {detail}")


def bad_enum(java_type: str, value: str, allowed: Sequence[str]) -> ApiError:
    """400 for a word outside a closed list, in the deserialiser's own words."""
    listed = ", ".join(allowed)
    return invalid_json(
        f'Cannot deserialize value of type `{java_type}` from String "{value}": '
        f"not one of the values accepted for Enum class: [{listed}]"
    )


def parse_json(data: bytes) -> Any:
    """A request body, or the refusal of what is none."""
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        raise invalid_json("Unexpected character", error.lineno, error.colno) from error
    except UnicodeDecodeError as error:
        raise invalid_json("Invalid UTF-8") from error
    except RecursionError as error:
        raise invalid_json("Document nesting depth exceeds the maximum allowed") from error
