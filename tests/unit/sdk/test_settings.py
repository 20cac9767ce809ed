"""A producer's settings file: closed, and every complaint names the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import ConfigurationError
from ledger.sdk.config import Actor, DeliverySettings, ProducerConfig
from ledger.testing.producer import settings


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "producer.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    config = settings(
        tmp_path,
        shards=2,
        epoch=3,
        source="//dialler.example.com",
        actor=Actor("desk", "collector", "agency", "0188d3a0-0000-4000-8000-000000000000"),
        delivery=DeliverySettings(linger_s=0.5, rejections="off"),
    )
    assert ProducerConfig.load(written(tmp_path, config.to_toml())) == config


def test_paths_are_taken_from_where_the_file_is(tmp_path: Path) -> None:
    text = settings(Path("here")).to_toml()
    config = ProducerConfig.load(written(tmp_path, text))
    assert config.outbox == tmp_path / "here" / "outbox.db"
    assert config.log.path == tmp_path / "here" / "log"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('format = "duecourse producer 1"', 'format = "1"', "format must be"),
        ("tenant = ", "tennant = ", "tennant is not a setting"),
        ('tenant = "bank"\n', "", "tenant is missing"),
        ('tenant = "bank"', "tenant = 7", "tenant must be text"),
        ('tenant = "bank"', 'tenant = "a b"', "tenant must be 1 to 200 of"),
        ('producer = "dialler-1"', 'producer = "ledger"', "producer must be"),
        ('producer = "dialler-1"', 'producer = "Dialler"', "producer must be"),
        ('producer = "dialler-1"', 'producer = "dialler-1"\nepoch = "1"', "epoch must be of type int"),
        ('producer = "dialler-1"', 'producer = "dialler-1"\nepoch = true', "epoch must be of type int"),
        ('producer = "dialler-1"', 'producer = "dialler-1"\nepoch = -1', "epoch must be 0 to"),
        ('mode = "manual"', 'mode = "never"', "delivery.mode must be one of background, manual"),
        ('mode = "manual"', 'modes = "manual"', "delivery.modes is not a setting"),
        ('mode = "manual"', "flush_events = 257", "delivery.flush_events must be 1 to 256"),
        ('capacity = "first_party"', 'capacity = "friend"', "actor.capacity must be one of"),
        ('capacity = "first_party"', 'capacity = "agency"', "actor.agency is required"),
        ('role = "collector"\n', "", "actor.role is missing"),
        ("[actor]", "[actors]", "[actor] is missing"),
        ('kind = "sqlite"', 'kind = "paper"', "log.kind must be"),
        ("log_keys = [", 'log_keys = ["x", ', "log_keys must hold one key a shard"),
        ("log_keys = [", "log_keys = [1, ", "log_keys must be a list of texts"),
        ("/cards/0+", "/cards/1+", "log_keys[0]"),
        ('vault_key = "', 'vault_key = "A', "vault_key must be 64 hex digits"),
        ('source = "//', 'source = "', "source must be //"),
        ('ledger = "ledger.example.com/cards"', 'ledger = "a b"', "ledger must be a ledger's name"),
        ("[log]", "[log", "not TOML"),
    ],
)
def test_a_complaint_names_the_key_and_the_file(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    text = settings(tmp_path).to_toml()
    assert old in text
    path = written(tmp_path, text.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        ProducerConfig.load(path)
    assert complaint in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_is_missing_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing.toml: No such file"):
        ProducerConfig.load(tmp_path / "nothing.toml")


def test_an_outbox_limit_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="outbox_events"):
        settings(tmp_path, outbox_events=0)
