"""Files that stores or partners put on an SFTP server."""
