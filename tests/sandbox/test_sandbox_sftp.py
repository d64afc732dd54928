"""The stores' SFTP server as a real client sees it."""

from __future__ import annotations

import base64
import contextlib

import paramiko
import pytest

from hub.sandbox.stores import keys


def connect(sandbox, **options):
    connection = sandbox.connections["stores"]
    kind, encoded = connection["extra"]["host_key"].split()
    client = paramiko.SSHClient()
    host = f"[127.0.0.1]:{connection['port']}"
    client.get_host_keys().add(host, kind, paramiko.Ed25519Key(data=base64.b64decode(encoded)))
    options.setdefault("username", connection["login"])
    if "password" not in options:
        options.setdefault("key_filename", connection["extra"]["private_key_file"])
    client.connect("127.0.0.1", connection["port"], look_for_keys=False, allow_agent=False, timeout=10, **options)
    return client


@pytest.fixture
def sftp(sandbox):
    with contextlib.closing(connect(sandbox)) as client, client.open_sftp() as sftp:
        yield sftp


def test_the_known_key_reads_the_files(sftp, retailer):
    names = sorted(name for name in sftp.listdir("/out/stock") if not name.endswith(".ok"))
    assert names == retailer.stores.waiting()
    with sftp.open(f"/out/stock/{names[0]}") as file:
        assert file.read() == (retailer.stores.out / names[0]).read_bytes()


def test_another_key_another_name_or_a_password_is_refused(sandbox, tmp_path):
    stranger = tmp_path / "key"
    stranger.write_text(keys._generate())
    for options in ({"key_filename": str(stranger)}, {"username": "root"}, {"password": "omnihub"}):
        with pytest.raises(paramiko.SSHException):
            connect(sandbox, **options)
    assert {call.method for call in sandbox.retailer.ledger.calls("stores")} == {"SIGNIN"}


def test_rename_refuses_an_existing_name_and_posix_rename_does_not(sftp, retailer):
    one, two = retailer.stores.waiting()[:2]
    with pytest.raises(OSError, match="exists"):
        sftp.rename(f"/out/stock/{one}", f"/out/stock/{two}")
    sftp.posix_rename(f"/out/stock/{one}", f"/archive/stock/{one}")
    sftp.posix_rename(f"/out/stock/{two}", f"/archive/stock/{one}")
    assert retailer.stores.archived() == [one]
    assert [call.status for call in retailer.ledger.writes("stores")] == [11, 0, 0]


def test_links_do_not_lead_out_of_the_folder(sftp, retailer, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("not for sale")
    (retailer.stores.out / "link.csv").symlink_to(secret)
    (retailer.stores.out / "folder").symlink_to(tmp_path)
    for path in ("/out/stock/link.csv", "/out/stock/folder/secret.txt"):
        with pytest.raises(PermissionError):
            sftp.open(path)
    with pytest.raises(PermissionError):
        sftp.listdir("/out/stock/folder")
    with pytest.raises(OSError, match="not made"):
        sftp.symlink(str(secret), "/out/stock/mine.csv")
    with pytest.raises(FileNotFoundError):
        sftp.open("/../../../../etc/hostname")


def test_the_host_key_and_the_client_key_stay_the_same_and_private(sandbox, retailer):
    before = retailer.stores.host_key
    assert retailer.stores.private_key_file.stat().st_mode & 0o777 == 0o600
    assert retailer.state.secret_path(keys.HOST).stat().st_mode & 0o777 == 0o600
    retailer.close()
    assert retailer.stores.host_key == before


def test_nothing_but_sftp_is_offered(sandbox):
    with contextlib.closing(connect(sandbox)) as client:
        with pytest.raises(paramiko.SSHException):
            client.exec_command("id")
        with pytest.raises(paramiko.SSHException):
            client.get_transport().open_channel("direct-tcpip", ("127.0.0.1", 22), ("127.0.0.1", 0))
