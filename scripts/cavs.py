#!/usr/bin/env python3
"""Keeps of NIST's CAVS vectors for AES-256-GCM what the tests read, a test a line.

    scripts/cavs.py FOLDER     FOLDER has `gcmDecrypt256.rsp` and `gcmEncryptExtIV256.rsp`, as NIST's `gcmtestvectors.zip` and
                               `cryptography_vectors/ciphers/AES/GCM` of the package `cryptography_vectors` have

Of what has our form, an IV of 96 bits, a tag of 128 and nothing authenticated beside the text, it keeps all, those that fail
among them; of each other form to be opened, with texts of 128 bits, the first that is valid.
"""
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent.parent / "tests/it/cavs/data"
OURS = {"IVlen": 96, "AADlen": 0, "Taglen": 128}


def tests(path):
    """Each test, with the lengths of its group."""
    group, test = {}, {}
    for line in [*path.read_text().splitlines(), ""]:
        if line.startswith("["):
            name, value = line.strip("[]").split(" = ")
            group[name] = int(value)
        elif line.startswith("FAIL"):
            test["FAIL"] = True
        elif " =" in line:
            name, _, value = line.partition(" =")
            test[name] = value.strip()
        elif test:
            yield dict(group), test
            test = {}


def kept(path, samples):
    seen = set()
    for number, (group, test) in enumerate(tests(path), 1):
        form = tuple(group[name] for name in OURS)
        is_ours = all(group[name] == length for name, length in OURS.items())
        is_sample = samples and group["PTlen"] == 128 and "FAIL" not in test and form not in seen
        if is_ours or is_sample:
            if not is_ours:
                seen.add(form)
            members = {"tcId": number, "result": "invalid" if "FAIL" in test else "valid"}
            names = [("key", "Key"), ("iv", "IV"), ("aad", "AAD"), ("msg", "PT"), ("ct", "CT"), ("tag", "Tag")]
            members.update((ours, test.get(theirs, "")) for ours, theirs in names)
            yield json.dumps(members, separators=(",", ":"))


def main(folder):
    for theirs, ours, samples in [("gcmDecrypt256", "decrypt", True), ("gcmEncryptExtIV256", "encrypt", False)]:
        (HERE / f"{ours}.jsonl").write_text("\n".join(kept(folder / f"{theirs}.rsp", samples)) + "\n")


main(Path(sys.argv[1]))
