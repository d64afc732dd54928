"""An ERP that answers over SOAP."""
