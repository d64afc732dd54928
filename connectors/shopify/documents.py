"""The GraphQL documents that are sent, each with what it costs at most (points of the shop's budget).

https://shopify.dev/docs/api/usage/limits: an object 1, a mutation 10, a connection grows with the
logarithm of its size. The answer tells the true cost, which corrects the budget.
"""

from __future__ import annotations

PAGE = "pageInfo { hasNextPage endCursor }"

VARIANTS_COST = 40.0
VARIANTS = f"""
query Variants($after: String) {{
  productVariants(first: 250, after: $after) {{
    nodes {{ id sku barcode product {{ id }} inventoryItem {{ id }} }} {PAGE}
  }}
}}
"""

LOCATIONS_COST = 20.0
LOCATIONS = f"""
query Locations($after: String) {{
  locations(first: 250, after: $after) {{ nodes {{ id name }} {PAGE} }}
}}
"""

LEVELS_AT_COST = 40.0
LEVELS_AT = f"""
query LevelsAt($location: ID!, $after: String) {{
  location(id: $location) {{
    inventoryLevels(first: 250, after: $after) {{
      nodes {{ item {{ id }} quantities(names: ["available"]) {{ quantity }} }} {PAGE}
    }}
  }}
}}
"""

LEVEL_COST = 3.0  # each pair of levels_of


def levels_of(pairs: int) -> str:
    """A query for ``pairs`` single levels: ``$i0 $l0 ...`` asked under the aliases ``p0 ...``."""
    variables = ", ".join(f"$i{n}: ID!, $l{n}: ID!" for n in range(pairs))
    fields = "\n".join(
        f"  p{n}: inventoryItem(id: $i{n}) {{ inventoryLevel(locationId: $l{n})"
        ' { quantities(names: ["available"]) { quantity } } }'
        for n in range(pairs)
    )
    return f"query Levels({variables}) {{\n{fields}\n}}"


SET_QUANTITIES_COST = 11.0
SET_QUANTITIES = """
mutation SetQuantities($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id }
    userErrors { code field message }
  }
}
"""
