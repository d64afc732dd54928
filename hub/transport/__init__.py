"""How bytes travel: HTTP, SOAP and SFTP with time limits, size limits, budgets, retries for seconds and redaction.

Every transport turns what went wrong into :mod:`hub.errors` by one table, so that a connector reads
like its vendor's manual and never catches a library's exception.
"""
