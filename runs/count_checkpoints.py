"""Count parameters and flops of the known checkpoints from their configs, and write them into the table.

.venv/bin/python runs/count_checkpoints.py
"""

import json

from regrow.hub.known import TABLE
from regrow.models.engines.counting import count_flops, count_parameters, empty_module


def main() -> None:
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    for name, part in table["parts"].items():
        if part["class"]:
            module = empty_module(part["class"], part["config"])
            part["parameters"] = count_parameters(module)
            part["flops"] = count_flops(module, part["inputs"]) if part["inputs"] else None
            print(f"{name:40} {part['parameters']:>14,} {(part['flops'] or 0) / 1e9:10.1f} Gflop")
    # one line per part and per checkpoint, so that a change of one is a change of one line
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(part)}" for name, part in table["parts"].items())
    rows = ",\n".join(f" {json.dumps(row)}" for row in table["checkpoints"])
    TABLE.write_text(f'{{"parts": {{\n{lines}\n}}, "checkpoints": [\n{rows}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
