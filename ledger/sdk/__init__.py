"""For collection tools: record an event so that it cannot be lost, and have it delivered."""

from ledger.sdk.config import Actor, ProducerConfig
from ledger.sdk.notices import Alarm, Rejection
from ledger.sdk.recorder import Recorder
from ledger.sdk.recording import Recording
from ledger.sdk.streams import RecordedEvent

__all__ = ["Actor", "Alarm", "ProducerConfig", "RecordedEvent", "Recorder", "Recording", "Rejection"]
