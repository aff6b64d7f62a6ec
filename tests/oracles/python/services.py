"""certomancer: the certificates of somebody else, with a time-stamping service, an OCSP responder
and CRLs, over HTTP on this machine. Reads one JSON object per line from standard input and answers
with one per line.

{"start": {dir}}    {url, root: PEM file, signer: PKCS#12 file}

The services are those of services.yml, with new keys. They answer at the time that the header
X-Certomancer-Fake-Time of a request names, else now, until standard input ends. The answer to a
request that fails is {"error": "..."}.
"""
import json
import logging
import sys
from pathlib import Path
from threading import Thread

import yaml
from certomancer.integrations.animator import Animator, AnimatorArchStore
from certomancer.registry import ArchLabel, CertLabel, CertomancerConfig
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509 import load_der_x509_certificate
from werkzeug.serving import WSGIRequestHandler, make_server

PASSWORD = b"sesame"


class Silent(WSGIRequestHandler):
    def log(self, *_):
        pass


def start(folder):
    folder = Path(folder)
    config = yaml.safe_load((Path(__file__).parent / "services.yml").read_text())
    keys = {}
    for name in config["keysets"]["all"]["keys"]:
        keys[name] = ec.generate_private_key(ec.SECP256R1())
        pem = keys[name].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.pem").write_bytes(pem)
    # The certificates contain the address, whose port is only known when the server listens.
    services = {}
    server = make_server(
        "127.0.0.1", 0, lambda *of: services["app"](*of), threaded=True, request_handler=Silent
    )
    url = f"http://127.0.0.1:{server.server_port}"
    architecture = CertomancerConfig(
        config, key_search_dir=str(folder), external_url_prefix=url
    ).get_pki_arch(ArchLabel("ades"))
    services["app"] = Animator(
        AnimatorArchStore({ArchLabel("ades"): architecture}), with_web_ui=False
    )
    Thread(target=server.serve_forever, daemon=True).start()

    root, issuing, signer = (
        load_der_x509_certificate(architecture.get_cert(CertLabel(name)).dump())
        for name in ("root", "issuing", "signer")
    )
    (folder / "anchor.pem").write_bytes(root.public_bytes(Encoding.PEM))
    file = pkcs12.serialize_key_and_certificates(
        b"signer", keys["signer"], signer, [issuing, root],
        PrivateFormat.PKCS12.encryption_builder().build(PASSWORD),
    )
    (folder / "signer.p12").write_bytes(file)
    return {
        "url": f"{url}/ades",
        "root": str(folder / "anchor.pem"),
        "signer": str(folder / "signer.p12"),
    }


def main():
    logging.disable(logging.CRITICAL)
    out = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        try:
            answer = start(json.loads(line)["start"]["dir"])
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=out, flush=True)


main()
