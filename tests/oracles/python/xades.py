"""signxml as judge and as signer of XAdES signatures. Reads one JSON object per
line from standard input and answers with one per line. It uses no network.

{"validate": {file, trust: pem, contents?: {uri: file}, location?}}
    {references: their number, properties: whether the signed properties are among them}
{"sign": {file, out, key, chain, method, algorithm, digest, c14n}}
    {"signed": true}

"location" is the path to the signature's parent; the default is ".//"
(anywhere). "contents" has the files for references outside of the document.
"method" is enveloped, enveloping or detached (next to the element with the Id
"object", in "file"). "algorithm" and "digest" are signxml's names, such as
RSA_SHA256 and SHA256; "c14n" is a URI. signxml also validates against its
schemas. The answer to a request that fails, or to a signature that does not
verify, is {"error": "..."}.
"""
import json
import sys
from pathlib import Path

from lxml import etree
from signxml import methods
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureMethod,
)
from signxml.xades import (
    XAdESDataObjectFormat,
    XAdESSignatureConfiguration,
    XAdESSigner,
    XAdESVerifier,
)


def parser():
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)


def validate(request):
    contents = request.get("contents", {})

    def resolve(uri):
        return Path(contents[uri]).read_bytes()

    config = XAdESSignatureConfiguration(
        expect_references=True, location=request.get("location", ".//"))
    results = XAdESVerifier().verify(
        Path(request["file"]).read_bytes(),
        ca_pem_file=request["trust"],
        expect_config=config,
        uri_resolver=resolve,
        parser=parser(),
    )
    return {
        "references": len(results),
        "properties": any(hasattr(result, "signed_properties") for result in results),
    }


def sign(request):
    signer = XAdESSigner(
        data_object_format=XAdESDataObjectFormat("A document", "text/xml"),
        method=methods[request["method"]],
        signature_algorithm=SignatureMethod[request["algorithm"]],
        digest_algorithm=DigestAlgorithm[request["digest"]],
        c14n_algorithm=CanonicalizationMethod(request["c14n"]),
    )
    document = etree.fromstring(Path(request["file"]).read_bytes(), parser())
    signed = signer.sign(
        document,
        key=Path(request["key"]).read_bytes(),
        cert=Path(request["chain"]).read_text(),
        always_add_key_value=False,
        reference_uri="#object" if request["method"] == "detached" else None,
    )
    if request["method"] == "detached":
        document.append(signed)
        signed = document
    Path(request["out"]).write_bytes(etree.tostring(signed))
    return {"signed": True}


def main():
    answers, sys.stdout = sys.stdout, sys.stderr
    commands = {"validate": validate, "sign": sign}
    for line in sys.stdin:
        try:
            (command, request), = json.loads(line).items()
            answer = commands[command](request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


main()
