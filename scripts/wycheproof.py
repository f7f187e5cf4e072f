#!/usr/bin/env python3
"""Keeps of Wycheproof's test vectors what the tests read: keys, messages, proofs and verdicts, a test a line.

    scripts/wycheproof.py FOLDER     FOLDER has `aes_gcm_test.json` and the others, as `testvectors_v1` of
                                     https://github.com/C2SP/wycheproof and `src/data` of the crate `wycheproof` have
"""
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent.parent / "tests/it/wycheproof/data"
# Of each set: the members of a group that are kept, and those of a test.
SETS = {
    "aes_gcm": (["keySize", "ivSize", "tagSize"], ["key", "iv", "aad", "msg", "ct", "tag"]),
    "hmac_sha1": (["keySize", "tagSize"], ["key", "msg", "tag"]),
    "hmac_sha256": (["keySize", "tagSize"], ["key", "msg", "tag"]),
    "hmac_sha512": (["keySize", "tagSize"], ["key", "msg", "tag"]),
    "ecdsa_secp256r1_sha256": (["publicKeyDer"], ["msg", "sig"]),
    "ecdsa_secp256r1_sha256_p1363": (["publicKeyDer"], ["msg", "sig"]),
    "ed25519": (["publicKeyDer"], ["msg", "sig"]),
    "rsa_signature_2048_sha256": (["publicKeyDer"], ["msg", "sig"]),
    "rsa_signature_4096_sha256": (["publicKeyDer"], ["msg", "sig"]),
}


def line(value):
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def main(folder):
    for name, (of_group, of_test) in SETS.items():
        whole = json.loads((folder / f"{name}_test.json").read_text())
        lines = []
        for group in whole["testGroups"]:
            kept = {member: group[member] for member in of_group}
            for test in group["tests"]:
                members = {member: test[member] for member in ["tcId", "result", *of_test]}
                lines.append(line({**members, **({"group": kept} if test is group["tests"][0] else {})}))
        assert len(lines) == whole["numberOfTests"], name
        (HERE / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


main(Path(sys.argv[1]))
