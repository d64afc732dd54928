"""Omnihub: an integration hub for omnichannel retail."""
