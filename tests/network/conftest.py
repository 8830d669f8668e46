"""Certificates in files."""

from pathlib import Path

import pytest
import trustme


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with `ca.pem`, and a client's `both.pem`, or `chain.pem` and `key.pem`."""
    directory = tmp_path_factory.mktemp("pem")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(directory / "ca.pem"))
    client = ca.issue_cert("client@example.com")
    client.private_key_and_cert_chain_pem.write_to_path(str(directory / "both.pem"))
    client.private_key_pem.write_to_path(str(directory / "key.pem"))
    client.cert_chain_pems[0].write_to_path(str(directory / "chain.pem"))
    return directory
