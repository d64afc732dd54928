"""The PIM: families, models and variants with texts by locale and channel, over Akeneo's REST API."""

from hub.sandbox.pim.pim import Pim

__all__ = ["Pim"]
