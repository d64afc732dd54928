"""The stores: stock files that their back offices write, and the SFTP server that hands them out."""

from hub.sandbox.stores.system import Stores

__all__ = ["Stores"]
