package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import eu.europa.esig.dss.diagnostic.CertificateRefWrapper;
import eu.europa.esig.dss.diagnostic.PDFRevisionWrapper;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.diagnostic.jaxb.XmlDigestMatcher;
import eu.europa.esig.dss.diagnostic.jaxb.XmlObjectModification;
import eu.europa.esig.dss.diagnostic.jaxb.XmlPolicyDigestAlgoAndValue;
import eu.europa.esig.dss.enumerations.CertificateOrigin;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.pades.validation.PDFDocumentValidator;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.math.BigInteger;
import java.time.Instant;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;

/**
 * DSS's verdict: one object for each signature, including countersignatures, and
 * one for each time-stamp. "time" (RFC 3339) is the validation time; the default is
 * now. Signatures and document time-stamps of a PDF have "pdf": the entries of the
 * signature dictionary, the byte range, and the later changes. "password" opens an
 * encrypted PDF.
 */
final class Judge {
    private Judge() {}

    static ObjectNode validate(JsonNode request) {
        SignedDocumentValidator validator =
            SignedDocumentValidator.fromDocument(new FileDocument(request.get("file").asText()));
        validator.setCertificateVerifier(Oracle.verifier(request));
        if (request.hasNonNull("original") || request.hasNonNull("originals")) {
            validator.setDetachedContents(Oracle.original(request));
        }
        if (request.hasNonNull("password") && validator instanceof PDFDocumentValidator pdf) {
            pdf.setPasswordProtection(request.get("password").asText().toCharArray());
        }
        if (request.hasNonNull("time")) {
            validator.setValidationTime(Date.from(Instant.parse(request.get("time").asText())));
        }
        Reports reports = validator.validateDocument();
        SimpleReport simple = reports.getSimpleReport();
        ObjectNode answer = Oracle.JSON.createObjectNode();
        ArrayNode signatures = answer.putArray("signatures");
        for (SignatureWrapper signature : reports.getDiagnosticData().getSignatures()) {
            ObjectNode node = signatures.addObject();
            verdict(node, signature, simple);
            claims(node, signature);
            certificates(node, signature);
            revision(node, signature.getPDFRevision());
        }
        ArrayNode timestamps = answer.putArray("timestamps");
        for (TimestampWrapper timestamp : reports.getDiagnosticData().getTimestampList()) {
            ObjectNode node = timestamps.addObject();
            node.put("type", String.valueOf(timestamp.getType()));
            node.put("found", timestamp.isMessageImprintDataFound());
            node.put("intact", timestamp.isMessageImprintDataIntact());
            node.put("signature_intact", timestamp.isSignatureIntact());
            revision(node, timestamp.getPDFRevision());
        }
        return answer;
    }

    /** The revision of a PDF that a signature covers, and the later changes. */
    private static void revision(ObjectNode node, PDFRevisionWrapper revision) {
        if (revision == null) {
            return;
        }
        ObjectNode pdf = node.putObject("pdf");
        Oracle.strings(pdf.putArray("fields"), revision.getSignatureFieldNames());
        pdf.put("filter", revision.getFilter());
        pdf.put("sub_filter", revision.getSubFilter());
        pdf.put("name", revision.getSignerName());
        pdf.put("reason", revision.getReason());
        pdf.put("location", revision.getLocation());
        pdf.put("contact", revision.getContactInfo());
        numbers(pdf.putArray("byte_range"), revision.getSignatureByteRange());
        pdf.put("byte_range_valid", revision.isSignatureByteRangeValid());
        pdf.put("dictionary_consistent", revision.isPdfSignatureDictionaryConsistent());
        pdf.put("doc_mdp", revision.getDocMDPPermissions() == null ? null : revision.getDocMDPPermissions().getCode());
        Oracle.strings(
            pdf.putArray("field_mdp"), revision.getFieldMDP() == null ? null : revision.getFieldMDP().getFields());
        ObjectNode after = pdf.putObject("after");
        after.put("any", revision.arePdfModificationsDetected());
        numbers(after.putArray("pages_added_or_removed"), revision.getPdfPageDifferenceConcernedPages());
        numbers(after.putArray("pages_look_different"), revision.getPdfVisualDifferenceConcernedPages());
        numbers(after.putArray("annotations_overlap_on_pages"), revision.getPdfAnnotationsOverlapConcernedPages());
        changes(after.putArray("extension"), revision.getPdfExtensionChanges());
        changes(after.putArray("signature_or_form"), revision.getPdfSignatureOrFormFillChanges());
        changes(after.putArray("annotation"), revision.getPdfAnnotationChanges());
        changes(after.putArray("undefined"), revision.getPdfUndefinedChanges());
    }

    private static void changes(ArrayNode array, List<XmlObjectModification> changes) {
        changes.forEach(change -> array.add(change.getAction() + " " + change.getValue()));
    }

    private static void numbers(ArrayNode array, List<BigInteger> numbers) {
        numbers.forEach(array::add);
    }

    private static void verdict(ObjectNode node, SignatureWrapper signature, SimpleReport simple) {
        String id = signature.getId();
        node.put("id", id);
        node.put("level", String.valueOf(signature.getSignatureFormat()));
        node.put("intact", signature.isSignatureIntact());
        node.put("valid", signature.isSignatureValid());
        node.put("counter", signature.isCounterSignature());
        node.put("parent", signature.getParent() == null ? null : signature.getParent().getId());
        node.put("algorithm", String.valueOf(signature.getSignatureAlgorithm()));
        node.put("structure_valid", signature.isStructuralValidationValid());
        Oracle.strings(node.putArray("structure"), signature.getStructuralValidationMessages());
        ArrayNode digests = node.putArray("digests");
        for (XmlDigestMatcher matcher : signature.getDigestMatchers()) {
            ObjectNode digest = digests.addObject();
            digest.put("type", String.valueOf(matcher.getType()));
            digest.put("found", matcher.isDataFound());
            digest.put("intact", matcher.isDataIntact());
        }
        node.put("indication", String.valueOf(simple.getIndication(id)));
        node.put("sub_indication", String.valueOf(simple.getSubIndication(id)));
        messages(node.putArray("errors"), simple.getAdESValidationErrors(id));
        messages(node.putArray("warnings"), simple.getAdESValidationWarnings(id));
        node.put("error_message", signature.getErrorMessage());
    }

    /** The signer's claims about itself and the content. */
    private static void claims(ObjectNode node, SignatureWrapper signature) {
        Date time = signature.getClaimedSigningTime();
        node.put("signing_time", time == null ? null : time.toInstant().toString());
        node.put("policy", signature.isPolicyPresent() ? signature.getPolicyId() : null);
        XmlPolicyDigestAlgoAndValue hash = signature.getPolicyDigestAlgoAndValue();
        boolean hashed = hash != null && hash.getDigestValue() != null;
        node.put("policy_hash", hashed ? HexFormat.of().formatHex(hash.getDigestValue()) : null);
        node.put("policy_hash_algorithm", hashed ? String.valueOf(hash.getDigestMethod()) : null);
        node.put("policy_zero_hash", signature.isPolicyZeroHash());
        node.put("policy_url", signature.getPolicyUrl());
        node.put("policy_notice", signature.getPolicyUserNotice() == null ? null : signature.getPolicyUserNotice().getExplicitText());
        node.put("content_type", signature.getContentType());
        node.put("mime_type", signature.getMimeType());
        node.put("content_hints", signature.getContentHints());
        node.put("country", signature.getCountryName());
        node.put("city", signature.getCity());
        Oracle.strings(node.putArray("postal_address"), signature.getPostalAddress());
        ArrayNode commitments = node.putArray("commitments");
        signature.getCommitmentTypeIndications().forEach(c -> commitments.add(c.getIdentifier()));
        ArrayNode roles = node.putArray("roles");
        signature.getSignerRoles().forEach(r -> roles.add(r.getRole()));
    }

    private static void certificates(ObjectNode node, SignatureWrapper signature) {
        node.put("signing_certificate_identified", signature.isSigningCertificateIdentified());
        node.put("signing_certificate_unique", signature.isSigningCertificateReferenceUnique());
        CertificateRefWrapper reference = signature.getSigningCertificateReference();
        if (reference != null) {
            ObjectNode found = node.putObject("signing_certificate_reference");
            found.put("origin", String.valueOf(reference.getOrigin()));
            found.put("digest_algorithm", reference.isDigestValuePresent() ? String.valueOf(reference.getDigestMethod()) : null);
            found.put("digest_match", reference.isDigestValueMatch());
            found.put("issuer_serial_present", reference.isIssuerSerialPresent());
            found.put("issuer_serial_match", reference.isIssuerSerialMatch());
        } else {
            node.putNull("signing_certificate_reference");
        }
        node.put("certificates",
            signature.foundCertificates().getRelatedCertificatesByOrigin(CertificateOrigin.SIGNED_DATA).size()
                + signature.foundCertificates().getOrphanCertificatesByOrigin(CertificateOrigin.SIGNED_DATA).size());
        node.put("trusted_chain", signature.isTrustedChain());
    }

    private static void messages(ArrayNode array, List<Message> messages) {
        messages.forEach(message -> array.add(message.getValue()));
    }
}
