package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.EncryptionAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.enumerations.SignaturePackaging;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.ToBeSigned;
import eu.europa.esig.dss.token.DSSPrivateKeyEntry;
import eu.europa.esig.dss.token.Pkcs12SignatureToken;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.xades.XAdESSignatureParameters;
import eu.europa.esig.dss.xades.reference.CanonicalizationTransform;
import eu.europa.esig.dss.xades.reference.DSSReference;
import eu.europa.esig.dss.xades.reference.DSSTransform;
import eu.europa.esig.dss.xades.reference.EnvelopedSignatureTransform;
import eu.europa.esig.dss.xades.reference.XPath2FilterEnvelopedSignatureTransform;
import eu.europa.esig.dss.xades.reference.XPathEnvelopedSignatureTransform;
import eu.europa.esig.dss.xades.signature.XAdESCounterSignatureParameters;
import eu.europa.esig.dss.xades.signature.XAdESService;
import java.security.KeyStore.PasswordProtection;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes a XAdES-BASELINE-B signature with DSS.
 *
 * <pre>
 * file, out          the document, and the path of the signed one
 * files?             several documents, by name, instead of "file"
 * packaging          ENVELOPED, ENVELOPING, DETACHED or INTERNALLY_DETACHED
 * digest             SHA256, SHA384, SHA512
 * pkcs12, password   the key; pss: true for RSASSA-PSS
 * c14n?              URI, for ds:SignedInfo, the signed properties and the reference of an enveloped signature
 * without?           the transform that removes an enveloped signature: enveloped-signature, xpath or filter2; the default is DSS's
 * embed_xml?         true: an enveloping signature contains XML as nodes instead of base64
 * counter?           a signed document whose signature number "counter_index" (0) is countersigned
 * time?, policy?..., commitments?, roles?    see {@link Signer}
 * </pre>
 */
final class XmlSigner {
    private XmlSigner() {}

    static ObjectNode sign(JsonNode request) throws Exception {
        boolean counter = request.hasNonNull("counter");
        XAdESSignatureParameters parameters =
            counter ? new XAdESCounterSignatureParameters() : new XAdESSignatureParameters();
        parameters.setSignatureLevel(SignatureLevel.XAdES_BASELINE_B);
        parameters.setSignaturePackaging(SignaturePackaging.valueOf(request.get("packaging").asText()));
        parameters.setDigestAlgorithm(DigestAlgorithm.valueOf(request.get("digest").asText()));
        parameters.setEmbedXML(request.path("embed_xml").asBoolean());
        if (request.hasNonNull("c14n")) {
            parameters.setSignedInfoCanonicalizationMethod(request.get("c14n").asText());
            parameters.setSignedPropertiesCanonicalizationMethod(request.get("c14n").asText());
        }
        if (request.hasNonNull("without")) {
            parameters.setReferences(List.of(enveloped(request, parameters.getDigestAlgorithm())));
        }
        Signer.attributes(parameters.bLevel(), request, parameters.getDigestAlgorithm());
        char[] password = request.get("password").asText().toCharArray();
        try (Pkcs12SignatureToken token =
                new Pkcs12SignatureToken(request.get("pkcs12").asText(), new PasswordProtection(password))) {
            DSSPrivateKeyEntry key = token.getKeys().get(0);
            if (request.path("pss").asBoolean()) {
                parameters.setEncryptionAlgorithm(EncryptionAlgorithm.RSASSA_PSS);
            }
            parameters.setSigningCertificate(key.getCertificate());
            parameters.setCertificateChain(key.getCertificateChain());
            XAdESService service = new XAdESService(Oracle.verifier(request));
            DSSDocument signed = parameters instanceof XAdESCounterSignatureParameters of
                ? counterSign(service, token, key, of, request)
                : sign(service, token, key, parameters, request);
            signed.save(request.get("out").asText());
        }
        return Oracle.JSON.createObjectNode().put("signed", true);
    }

    private static DSSDocument sign(
            XAdESService service, Pkcs12SignatureToken token, DSSPrivateKeyEntry key,
            XAdESSignatureParameters parameters, JsonNode request) {
        if (request.hasNonNull("files")) {
            List<DSSDocument> documents = Oracle.named(request.get("files"));
            ToBeSigned data = service.getDataToSign(documents, parameters);
            SignatureValue value = token.sign(data, parameters.getSignatureAlgorithm(), key);
            return service.signDocument(documents, parameters, value);
        }
        DSSDocument document = new FileDocument(request.get("file").asText());
        ToBeSigned data = service.getDataToSign(document, parameters);
        SignatureValue value = token.sign(data, parameters.getSignatureAlgorithm(), key);
        return service.signDocument(document, parameters, value);
    }

    private static DSSDocument counterSign(
            XAdESService service, Pkcs12SignatureToken token, DSSPrivateKeyEntry key,
            XAdESCounterSignatureParameters parameters, JsonNode request) {
        DSSDocument document = new FileDocument(request.get("counter").asText());
        SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(document);
        validator.setCertificateVerifier(Oracle.verifier(request));
        if (request.hasNonNull("c14n")) {
            parameters.setCounterSignatureCanonicalizationMethod(request.get("c14n").asText());
        }
        int index = request.path("counter_index").asInt(0);
        parameters.setSignatureIdToCounterSign(validator.getSignatures().get(index).getId());
        ToBeSigned data = service.getDataToBeCounterSigned(document, parameters);
        SignatureValue value = token.sign(data, parameters.getSignatureAlgorithm(), key);
        return service.counterSignSignature(document, parameters, value);
    }

    /** The reference to the document that the signature is in. */
    private static DSSReference enveloped(JsonNode request, DigestAlgorithm digest) {
        List<DSSTransform> transforms = new ArrayList<>();
        String without = request.get("without").asText();
        transforms.add(switch (without) {
            case "enveloped-signature" -> new EnvelopedSignatureTransform();
            case "xpath" -> new XPathEnvelopedSignatureTransform();
            case "filter2" -> new XPath2FilterEnvelopedSignatureTransform();
            default -> throw new IllegalArgumentException(without);
        });
        transforms.add(new CanonicalizationTransform(request.get("c14n").asText()));
        DSSReference reference = new DSSReference();
        reference.setId("r-document");
        reference.setUri("");
        reference.setContents(new FileDocument(request.get("file").asText()));
        reference.setDigestMethodAlgorithm(digest);
        reference.setTransforms(transforms);
        return reference;
    }
}
