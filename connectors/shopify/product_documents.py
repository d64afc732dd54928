"""The GraphQL documents about products, each with what it costs at most."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.shopify.documents import PAGE
from connectors.shopify.price_documents import NAMESPACE

ACTIVE = "active"  # a variant's metafield: false where it is no longer sold

LOCALES_COST = 2.0
LOCALES = "query Locales { shopLocales { locale primary } }"

SEARCH_COST = 40.0
SEARCH = f"""
query Search($query: String!, $after: String) {{
  productVariants(first: 250, query: $query, after: $after) {{
    nodes {{ sku barcode product {{ id }} }} {PAGE}
  }}
}}
"""

HANDLES_COST = 2.0  # each


def by_handles(count: int) -> str:
    """A query for ``count`` products by handle: ``$h0 ...`` asked under the aliases ``p0 ...``."""
    variables = ", ".join(f"$h{n}: String!" for n in range(count))
    fields = "\n".join(f"  p{n}: productByIdentifier(identifier: {{ handle: $h{n} }}) {{ id }}" for n in range(count))
    return f"query ByHandles({variables}) {{\n{fields}\n}}"


def alias(locale: str) -> str:
    """``t_pt_br`` for the translations into ``pt-BR``."""
    return "t_" + locale.replace("-", "_").lower()


def _translations(locales: Sequence[str]) -> str:
    return " ".join(f'{alias(one)}: translations(locale: "{one}") {{ key value outdated }}' for one in locales)


VARIANT = f"""
  id sku barcode price position selectedOptions {{ name value }} inventoryItem {{ id }}
  active: metafield(namespace: "{NAMESPACE}", key: "{ACTIVE}") {{ value }}
"""


def _picture(locales: Sequence[str]) -> str:
    said = _translations(locales)
    return f"id alt status mediaErrors {{ message }} ... on MediaImage {{ image {{ url }} {said} }}"


def _product(locales: Sequence[str]) -> str:
    """Everything that the hub delivers, in the shop's first language and in ``locales``."""
    said = _translations(locales)
    return f"""
  id handle title descriptionHtml vendor productType status {said}
  options {{ id name position optionValues {{ id name {said} }} }}
  variants(first: 100) {{ nodes {{ {VARIANT} }} {PAGE} }}
  media(first: 50) {{ nodes {{ {_picture(locales)} }} {PAGE} }}
"""


REST_COST = 60.0
ALL_VARIANTS = f"""
query AllVariants($id: ID!, $after: String) {{
  product(id: $id) {{ variants(first: 250, after: $after) {{ nodes {{ {VARIANT} }} {PAGE} }} }}
}}
"""


def all_media(locales: Sequence[str]) -> str:
    """Every picture of one product, page by page."""
    return (
        f"query AllMedia($id: ID!, $after: String) {{\n  product(id: $id)"
        f" {{ media(first: 250, after: $after) {{ nodes {{ {_picture(locales)} }} {PAGE} }} }}\n}}"
    )


PRODUCTS_AT_ONCE = 25
PRODUCTS_COST = 600.0


def all_products(locales: Sequence[str]) -> str:
    """Every product of the shop, page by page."""
    return (
        f"query AllProducts($after: String) {{\n  products(first: {PRODUCTS_AT_ONCE}, after: $after)"
        f" {{ nodes {{ {_product(locales)} }} {PAGE} }}\n}}"
    )


PRODUCT_COST = 100.0  # each id


def products(locales: Sequence[str]) -> str:
    """Products by their ids."""
    return f"query Products($ids: [ID!]!) {{\n  nodes(ids: $ids) {{ ... on Product {{ {_product(locales)} }} }}\n}}"


PRODUCT_ANSWER = "product { id } userErrors { field message }"

CREATE_COST = 11.0
CREATE = f"""
mutation Create($product: ProductCreateInput!) {{ productCreate(product: $product) {{ {PRODUCT_ANSWER} }} }}
"""

UPDATE_COST = 11.0
UPDATE = f"""
mutation Update($product: ProductUpdateInput!) {{ productUpdate(product: $product) {{ {PRODUCT_ANSWER} }} }}
"""

ATTACH_COST = 30.0
ATTACH = """
mutation Attach($product: ProductUpdateInput!, $media: [CreateMediaInput!]!) {
  productUpdate(product: $product, media: $media) {
    product { media(first: 250) { nodes { id } } }
    userErrors { field message }
  }
}
"""

VARIANTS_COST = 20.0
CREATE_VARIANTS = """
mutation CreateVariants(
  $product: ID!, $variants: [ProductVariantsBulkInput!]!, $strategy: ProductVariantsBulkCreateStrategy!
) {
  productVariantsBulkCreate(productId: $product, variants: $variants, strategy: $strategy) {
    productVariants { id } userErrors { code field message }
  }
}
"""
UPDATE_VARIANTS = """
mutation UpdateVariants($product: ID!, $variants: [ProductVariantsBulkInput!]!) {
  productVariantsBulkUpdate(productId: $product, variants: $variants) {
    productVariants { id } userErrors { code field message }
  }
}
"""
REORDER_VARIANTS = """
mutation ReorderVariants($product: ID!, $positions: [ProductVariantPositionInput!]!) {
  productVariantsBulkReorder(productId: $product, positions: $positions) { userErrors { field message } }
}
"""

STAGE_COST = 11.0
STAGE = """
mutation Stage($input: [StagedUploadInput!]!) {
  stagedUploadsCreate(input: $input) {
    stagedTargets { url resourceUrl parameters { name value } } userErrors { field message }
  }
}
"""

FILES_COST = 15.0
UPDATE_FILES = """
mutation UpdateFiles($files: [FileUpdateInput!]!) {
  fileUpdate(files: $files) { files { id } userErrors { code field message } }
}
"""

REORDER_MEDIA_COST = 11.0
REORDER_MEDIA = """
mutation ReorderMedia($product: ID!, $moves: [MoveInput!]!) {
  productReorderMedia(id: $product, moves: $moves) { job { id done } mediaUserErrors { code field message } }
}
"""

DIGESTS_COST = 60.0
DIGESTS = """
query Digests($ids: [ID!]!) {
  translatableResourcesByIds(first: 250, resourceIds: $ids) {
    nodes { resourceId translatableContent { key digest } }
  }
}
"""

TRANSLATE_COST = 11.0
TRANSLATE = """
mutation Translate($id: ID!, $translations: [TranslationInput!]!) {
  translationsRegister(resourceId: $id, translations: $translations) {
    translations { key locale } userErrors { code field message }
  }
}
"""
