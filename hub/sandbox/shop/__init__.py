"""The web shop: Shopify's Admin API 2026-04, by REST, GraphQL and webhooks, with its own products, stock and orders."""

from hub.sandbox.shop.shop import Shop

__all__ = ["Shop"]
