"""The web shop: Shopify's Admin API 2026-04, by REST, GraphQL and webhooks, over stock and orders of its own."""

from hub.sandbox.shop.shop import Shop

__all__ = ["Shop"]
