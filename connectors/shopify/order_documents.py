"""The GraphQL documents about orders, each with what it costs at most."""

from __future__ import annotations

MARK = "omnihub:"  # a refund's note names the event that it is a copy of

PROGRESS_COST = 60.0  # each order
PROGRESS = """
query Progress($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on Order {
      id cancelledAt
      fulfillments(first: 100) {
        id status trackingInfo(first: 1) { company number }
        fulfillmentLineItems(first: 250) { nodes { quantity lineItem { id } } }
      }
      refunds(first: 100) {
        id note totalRefundedSet { shopMoney { amount currencyCode } }
        refundLineItems(first: 250) { nodes { quantity restockType lineItem { id } } }
      }
    }
  }
}
"""

TO_FULFIL_COST = 150.0
TO_FULFIL = """
query ToFulfil($id: ID!) {
  order(id: $id) {
    fulfillmentOrders(first: 20) {
      nodes {
        id status assignedLocation { location { id } }
        lineItems(first: 250) { nodes { id remainingQuantity lineItem { id } } }
      }
    }
  }
}
"""

TO_REFUND_COST = 30.0
TO_REFUND = """
query ToRefund($id: ID!) {
  order(id: $id) {
    transactions(first: 100) {
      id kind status gateway amountSet { shopMoney { amount } } parentTransaction { id }
    }
    lineItems(first: 250) { nodes { id unfulfilledQuantity } }
  }
}
"""

FULFIL_COST = 11.0
FULFIL = """
mutation Fulfil($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { id } userErrors { field message } }
}
"""

TRACK_COST = 11.0
TRACK = """
mutation Track($id: ID!, $tracking: FulfillmentTrackingInput!) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $tracking) {
    fulfillment { id } userErrors { field message }
  }
}
"""

REFUND_COST = 11.0
REFUND = """
mutation Refund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) { refund { id } userErrors { field message } }
}
"""

CANCEL_COST = 11.0
CANCEL = """
mutation Cancel($id: ID!) {
  orderCancel(
    orderId: $id, reason: OTHER, restock: true, refundMethod: { originalPaymentMethodsRefund: true }
  ) {
    job { id done } orderCancelUserErrors { code field message }
  }
}
"""

PAYMENTS_COST = 3.0  # each order
PAYMENTS = """
query Payments($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on Order {
      id
      transactions(first: 100) {
        id kind status gateway processedAt amountSet { shopMoney { amount } } parentTransaction { id }
      }
    }
  }
}
"""
