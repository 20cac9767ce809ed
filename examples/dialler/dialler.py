"""The first thing a dialler engineer reads: after each call, three lines say what happened.

When `call_placed` returns, the event is on this machine's disk and will reach the ledger. When it raises a
`NotRecorded`, it is not recorded: do not carry on as if it were."""

from ledger.sdk import Recorder

number = "+86 10 5550 0142"

with Recorder.open("dialler.toml") as recorder:
    case = recorder.case(account="8841-2231")
    zones = [{"zone": "Asia/Shanghai", "source": "residence"}]
    case.call_placed(to=number, purpose="interactive", outcome="no_answer", zones=zones)
