# SPDX-License-Identifier: BSD-2-Clause
"""json-check.py FILE: every line is an object of the schema of docs/bpfcc.md; prints them for FileCheck."""
import json
import sys

MESSAGE = {"severity": str, "text": str, "hint": str, "object": str, "section": str, "program": str,
           "insn": int, "disasm": str, "file": str, "line": int, "source": str, "registers": dict,
           "notes": list}


def check_message(message, severities):
    for key, value in message.items():
        assert isinstance(value, MESSAGE[key]), key
    assert message["severity"] in severities and message["text"]
    for name, fact in message.get("registers", {}).items():
        assert name in {f"r{i}" for i in range(11)} and fact
    for note in message.get("notes", []):
        assert "notes" not in note
        check_message(note, ["note"])


with open(sys.argv[1], encoding="utf-8") as f:
    for line in f:
        row = json.loads(line)
        if "result" in row:
            assert set(row) <= {"result", "verdict", "reason", "kernel"}
            print("result:", row["result"], row["verdict"], row["reason"])
        elif "trace" in row:
            assert set(row) == {"trace"}
        else:
            check_message(row, ["note", "warning", "error"])
            shown = {k: v for k, v in row.items() if k not in ("registers", "notes")}
            print("message:", " ".join(f"{k}={str(v).strip()}" for k, v in sorted(shown.items())))
            for k, v in sorted(row.get("registers", {}).items()):
                print(f"  {k}: {v}")
            for note in row.get("notes", []):
                print("  note:", note.get("line"), note["text"])
