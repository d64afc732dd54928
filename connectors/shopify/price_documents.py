"""The GraphQL documents about prices, each with what it costs at most."""

from __future__ import annotations

from connectors.shopify.documents import PAGE

NAMESPACE = "omnihub"
LOWEST = "lowest_30"  # the lowest price of the 30 days before a reduction began, as the Omnibus directive asks

PRICE_FIELDS = f"""
  id price compareAtPrice product {{ id }} inventoryItem {{ id }}
  lowest: metafield(namespace: "{NAMESPACE}", key: "{LOWEST}") {{ value }}
"""

CURRENCY_COST = 1.0
CURRENCY = "query Currency { shop { currencyCode } }"

ALL_PRICES_COST = 60.0
ALL_PRICES = f"""
query AllPrices($after: String) {{
  productVariants(first: 250, after: $after) {{ nodes {{ {PRICE_FIELDS} }} {PAGE} }}
}}
"""

PRICE_COST = 4.0  # each id
PRICES = f"""
query Prices($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on ProductVariant {{ {PRICE_FIELDS} }} }}
}}
"""

SET_PRICES_COST = 11.0
SET_PRICES = """
mutation SetPrices($product: ID!, $variants: [ProductVariantsBulkInput!]!) {
  productVariantsBulkUpdate(productId: $product, variants: $variants) {
    productVariants { id }
    userErrors { code field message }
  }
}
"""

FORGET_COST = 11.0
FORGET = """
mutation Forget($metafields: [MetafieldIdentifierInput!]!) {
  metafieldsDelete(metafields: $metafields) {
    deletedMetafields { ownerId key }
    userErrors { field message }
  }
}
"""
