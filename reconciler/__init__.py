"""Keeps the configuration of HubSpot portals in git."""

VERSION = "0.1.0"
