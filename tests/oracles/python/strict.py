"""Reads a CMS container strictly with asn1crypto, and encodes it again.

Prints one JSON object: the names of each signer's signed attributes, and
whether the new encoding has the same octets."""
import json
import sys

from asn1crypto import cms

with open(sys.argv[1], "rb") as file:
    octets = file.read()
info = cms.ContentInfo.load(octets, strict=True)
signed = info["content"]
signers = []
for signer in signed["signer_infos"]:
    names = sorted(attribute["type"].dotted for attribute in signer["signed_attrs"])
    signers.append({"version": signer["version"].native, "attributes": names})
print(json.dumps({
    "version": signed["version"].native,
    "signers": signers,
    "certificates": len(signed["certificates"]),
    "same_octets": info.dump(force=True) == octets,
}))
