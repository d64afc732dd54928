"""A web shop on Shopify."""
