"""An embedded HubSpot portal, for demos and tests: plays the CRM configuration API over WSGI, bad days included."""

from reconciler.emulator.app import create_app
from reconciler.emulator.store import Portal

__all__ = ["Portal", "create_app"]
