"""The ERP: warehouse stock over SOAP 1.1 with a WSDL, HTTP basic sign-in, pages and a limit on calls."""

from hub.sandbox.erp.system import Erp

__all__ = ["Erp"]
