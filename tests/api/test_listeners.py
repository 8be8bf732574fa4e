"""A listener that accepts nobody is noticed by the process itself, while those who are connected are still served."""

import socket

import pytest
import requests
from bad_disk import BadDisk
from conftest import eventually, parse_metrics, sample


@pytest.mark.parametrize("listener", ["http", "grpc"])
def test_a_deaf_listener_is_down(server_factory, tmp_path, listener):
    disk = BadDisk(tmp_path)
    server = server_factory(**disk.settings)
    port = {**server.ports, "http": int(server.url.rsplit(":", 1)[1])}[listener]
    with requests.Session() as connected:

        def up():
            return sample(parse_metrics(connected.get(f"{server.url}/metrics", timeout=30).text), "duckdb_listener_up", listener=listener)

        assert up() == 1
        with disk.deaf(port), socket.create_connection(("127.0.0.1", port)):
            eventually(lambda: up() == 0, f"the {listener} listener was not found deaf")
