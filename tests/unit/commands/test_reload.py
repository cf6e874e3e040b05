"""Which changes a reload cannot put into force."""

from typing import Any

from gateway.app import restart_needed
from gateway.config import Settings


def settings(**sections: Any) -> Settings:
    return Settings.model_validate({"queue": {"path": "queue"}, "sources": {"web": {"write_keys": ["k"]}}, **sections})


def test_what_is_read_once_is_named_by_its_key():
    changed = settings(
        server={"listen": "127.0.0.1:1", "drain": "1s"},
        admin={"listen": "127.0.0.1:2"},
        queue={"path": "queue", "retention": "9d"},
        log={"level": "debug"},
    )

    waiting = ["server.listen", "server.drain", "admin.listen", "queue.retention", "log.level"]
    assert restart_needed(settings(), changed) == waiting


def test_all_else_is_in_force_at_once():
    changed = settings(server={"path_prefix": "/events"}, sources={"web": {"write_keys": ["another"]}})

    assert restart_needed(settings(), changed) == []
