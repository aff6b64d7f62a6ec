"""pyHanko as judge and as signer of PDF signatures. Reads one JSON object per
line from standard input and answers with one per line. It uses no network.

{"validate": {file, trust?: [pem], password?, pkcs12?, time?, strict?}}
    {encrypted, pages, revisions, hybrid, fields: [names], signatures: [...]}
{"sign": {file, out, key, certificate, chain, field?, existing?, certify?,
          digest?, pss?, subfilter?, name?, reason?, location?, contact?,
          box?, password?, strict?}}
    {"signed": true}
{"fill": {file, out, field, value, password?}}
    {"filled": true}
{"archive": {file, out, key, certificate, chain, password?}}
    {"archived": true}
{"raise": {file, out, level, time, trust: [pem], ocsps: [der], tsa_key, tsa_certificate, tsa_chain}}
    {"nanoseconds": the time from file to file}
{"encrypt": {file, out, certificates: [pem], version, aes?, filters?, key_length?, oaep?,
             metadata?}}
    {"encrypted": true}

A missing "field" is created, unless "existing" is true. "certify" (1, 2, 3) is
what a certification permits. "subfilter" is PADES or ADOBE_PKCS7_DETACHED.
"encrypt" encrypts for the holders of certificates, with a version of the security
handler by name; "metadata" false leaves the metadata unencrypted. "pkcs12" is the file
of such a holder, and "password" the file's.
"fill" fills a text field. "archive" adds validation data (certificates) and a
document time-stamp by this key, in two updates. "raise" adds the validation data of the
first signature, which stays without a signature time-stamp, for the level LT; and a document
time-stamp with the validation data of its service for LTA. Files are read leniently unless
"strict" is true. The answer to a request that fails is {"error": "..."}; a
signature that cannot be judged completely has "error".
"""
import io
import json
import logging
import sys
import time
from datetime import datetime

from asn1crypto import ocsp, pem, x509
from pyhanko.keys import load_private_key_from_pemder
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.crypt import (
    AuthStatus,
    PubKeySecurityHandler,
    SecurityHandlerVersion,
    SimpleEnvelopeKeyDecrypter,
)
from pyhanko.pdf_utils.crypt.pubkey import RecipientEncryptionPolicy
from pyhanko.pdf_utils.generic import DecryptedObjectProxy
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.diff_analysis import SuspiciousModification
from pyhanko.sign.fields import (
    MDPPerm,
    SigFieldSpec,
    SigSeedSubFilter,
    enumerate_sig_fields,
)
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    add_validation_info,
    validate_pdf_signature,
    validate_pdf_timestamp,
)
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko_certvalidator import ValidationContext


def certificates(path):
    return [x509.Certificate.load(der) for _, _, der in pem.unarmor(read(path), multiple=True)]


def text(value):
    if isinstance(value, DecryptedObjectProxy):
        value = value.decrypted
    return None if value is None else str(value)


def context(request):
    moment = request.get("time")
    return ValidationContext(
        trust_roots=[c for path in request.get("trust", []) for c in certificates(path)],
        moment=datetime.fromisoformat(moment) if moment else None,
        allow_fetching=False,
    )


def judge(embedded, request, skip_diff):
    timestamp = embedded.sig_object_type == "/DocTimeStamp"
    status = (validate_pdf_timestamp if timestamp else validate_pdf_signature)(
        embedded, context(request), skip_diff=skip_diff)
    diff = status.diff_result
    answer = {
        "intact": status.intact,
        "valid": status.valid,
        "trusted": status.trusted,
        "coverage": status.coverage.name,
        "modification_level": status.modification_level.name if status.modification_level else None,
        "docmdp_ok": status.docmdp_ok,
        "suspicious": str(diff) if isinstance(diff, SuspiciousModification) else None,
    }
    if not timestamp:
        problem = status.seed_value_constraint_error
        answer["bottom_line"] = status.bottom_line
        answer["has_seed_values"] = status.has_seed_values
        answer["seed_value_ok"] = status.seed_value_ok
        answer["seed_value_error"] = None if problem is None else problem.failure_message
    return answer


def signature(reader, name, value, field, request):
    dictionary = value.get_object()
    answer = {
        "field": name,
        "type": text(dictionary.get("/Type")),
        "filter": text(dictionary.get("/Filter")),
        "subfilter": text(dictionary.get("/SubFilter")),
        "name": text(dictionary.get("/Name")),
        "reason": text(dictionary.get("/Reason")),
        "location": text(dictionary.get("/Location")),
        "contact": text(dictionary.get("/ContactInfo")),
        "m": text(dictionary.get("/M")),
        "error": None,
    }
    try:
        embedded = EmbeddedPdfSignature(reader, field, name)
        answer["signer"] = embedded.signer_cert.subject.native.get("common_name")
        answer["certification"] = embedded.docmdp_level.value if embedded.docmdp_level else None
        answer["locked"] = embedded.fieldmdp.fields if embedded.fieldmdp else None
        answer["revision"] = embedded.signed_revision
        try:
            answer.update(judge(embedded, request, skip_diff=False))
        except Exception as error:
            # pyHanko's difference analysis fails on some files; the rest of its verdict counts.
            answer["error"] = f"{type(error).__name__}: {error}"
            answer.update(judge(embedded, request, skip_diff=True))
    except Exception as error:
        answer["error"] = f"{type(error).__name__}: {error}"
    return answer


def validate(request):
    reader = PdfFileReader(io.BytesIO(read(request["file"])), strict=request.get("strict", False))
    password = request.get("password") or ""
    if reader.encrypted and "pkcs12" in request:
        opened = reader.decrypt_pubkey(
            SimpleEnvelopeKeyDecrypter.load_pkcs12(request["pkcs12"], password.encode()))
        if opened.status == AuthStatus.FAILED:
            raise ValueError("the key does not open the document")
    elif reader.encrypted:
        opened = reader.decrypt(password)
        if opened.status == AuthStatus.FAILED:
            raise ValueError("the password does not open the document")
    found = list(enumerate_sig_fields(reader))
    return {
        "encrypted": reader.encrypted,
        "pages": int(reader.root["/Pages"]["/Count"]),
        "revisions": reader.xrefs.total_revisions,
        "hybrid": reader.xrefs.hybrid_xrefs_present,
        "fields": [name for name, _, _ in found],
        "signatures": [
            signature(reader, name, value, field, request)
            for name, value, field in found if value is not None
        ],
    }


def update(octets, request):
    writer = IncrementalPdfFileWriter(io.BytesIO(octets), strict=request.get("strict", False))
    if writer.prev.encrypted:
        writer.encrypt(request.get("password") or "")
    return writer


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, octets):
    with open(path, "wb") as file:
        file.write(octets)


def fill(request):
    writer = update(read(request["file"]), request)
    fields = [(None, field) for field in writer.root["/AcroForm"]["/Fields"]]
    while fields:
        above, reference = fields.pop()
        field = reference.get_object()
        name = ".".join(str(part) for part in (above, field.get("/T")) if part)
        if name == request["field"]:
            field["/V"] = generic.TextStringObject(request["value"])
            writer.mark_update(reference)
        fields += [(name, kid) for kid in field.get("/Kids", [])]
    out = io.BytesIO()
    writer.write(out)
    write(request["out"], out.getvalue())
    return {"filled": True}


def archive(request):
    found = certificates(request["certificate"]) + certificates(request["chain"])
    writer = update(read(request["file"]), request)
    DocumentSecurityStore.supply_dss_in_writer(writer, None, certs=found)
    stored = io.BytesIO()
    writer.write(stored)
    key = load_private_key_from_pemder(request["key"], passphrase=None)
    stamper = PdfTimeStamper(DummyTimeStamper(found[0], key, found))
    out = stamper.timestamp_pdf(update(stored.getvalue(), request), "sha256")
    write(request["out"], out.getbuffer())
    return {"archived": True}


def raised(request):
    start = time.perf_counter_ns()
    moment = datetime.fromisoformat(request["time"])
    found = certificates(request["tsa_certificate"]) + certificates(request["tsa_chain"])
    validation = ValidationContext(
        trust_roots=[c for path in request["trust"] for c in certificates(path)],
        ocsps=[ocsp.OCSPResponse.load(read(path)) for path in request["ocsps"]],
        other_certs=found, moment=moment, allow_fetching=False, revocation_mode="hard-fail")
    reader = PdfFileReader(io.BytesIO(read(request["file"])), strict=False)
    out = io.BytesIO()
    add_validation_info(reader.embedded_signatures[0], validation, output=out)
    if request["level"] == "LTA":
        key = load_private_key_from_pemder(request["tsa_key"], passphrase=None)
        stamper = PdfTimeStamper(DummyTimeStamper(found[0], key, found, fixed_dt=moment))
        writer = IncrementalPdfFileWriter(io.BytesIO(out.getvalue()), strict=False)
        out = stamper.timestamp_pdf(writer, "sha256", validation_context=validation)
    write(request["out"], out.getbuffer())
    return {"nanoseconds": time.perf_counter_ns() - start}


def sign(request):
    writer = update(read(request["file"]), request)
    field = request.get("field", "Signature")
    existing = request.get("existing", False)
    certify = request.get("certify")
    metadata = PdfSignatureMetadata(
        field_name=field,
        md_algorithm=request.get("digest", "sha256"),
        subfilter=SigSeedSubFilter[request.get("subfilter", "PADES")],
        certify=certify is not None,
        docmdp_permissions=MDPPerm(certify or MDPPerm.FILL_FORMS),
        name=request.get("name"),
        reason=request.get("reason"),
        location=request.get("location"),
        contact_info=request.get("contact"),
    )
    signer = SimpleSigner.load(
        request["key"], request["certificate"], ca_chain_files=[request["chain"]],
        prefer_pss=request.get("pss", False))
    box = request.get("box")
    spec = SigFieldSpec(field, box=tuple(box)) if box else None
    out = PdfSigner(metadata, signer, new_field_spec=spec).sign_pdf(
        writer, existing_fields_only=existing)
    write(request["out"], out.getbuffer())
    return {"signed": True}


def encrypt(request):
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(read(request["file"]))))
    handler = PubKeySecurityHandler.build_from_certs(
        [c for path in request["certificates"] for c in certificates(path)],
        version=SecurityHandlerVersion[request["version"]],
        use_aes=request.get("aes", True),
        use_crypt_filters=request.get("filters", True),
        keylen_bytes=request.get("key_length", 16),
        encrypt_metadata=request.get("metadata", True),
        policy=RecipientEncryptionPolicy(
            ignore_key_usage=True, prefer_oaep=request.get("oaep", False)),
        # Signing would have to renew the document's MAC (ISO/TS 32004).
        pdf_mac=False)
    writer.security_handler = handler
    writer._encrypt = writer.add_object(handler.as_pdf_object())
    out = io.BytesIO()
    writer.write(out)
    write(request["out"], out.getvalue())
    return {"encrypted": True}


def main():
    answers, sys.stdout = sys.stdout, sys.stderr
    logging.disable(logging.CRITICAL)
    commands = {"validate": validate, "sign": sign, "fill": fill, "archive": archive,
                "encrypt": encrypt, "raise": raised}
    for line in sys.stdin:
        try:
            (command, request), = json.loads(line).items()
            answer = commands[command](request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


main()
