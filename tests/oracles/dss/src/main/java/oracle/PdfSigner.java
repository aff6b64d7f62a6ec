package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import eu.europa.esig.dss.enumerations.CertificationPermission;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.EncryptionAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.ToBeSigned;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.token.DSSPrivateKeyEntry;
import eu.europa.esig.dss.token.Pkcs12SignatureToken;
import java.security.KeyStore.PasswordProtection;

/**
 * Makes an invisible PAdES-BASELINE-B signature with DSS. If the file is signed, the
 * new signature is a further one.
 *
 * <pre>
 * file, out          the document, and the path of the signed one
 * document_password? opens an encrypted document
 * digest             SHA256, SHA384, SHA512
 * pkcs12, password   the key; pss: true for RSASSA-PSS
 * field?             an existing empty field; the default is a new field
 * certify?           1, 2 or 3: what a certification permits
 * name?, reason?, location?, contact?
 * time?, policy?, commitments?, roles?   as in {@link Signer}
 * </pre>
 */
final class PdfSigner {
    private PdfSigner() {}

    static ObjectNode sign(JsonNode request) throws Exception {
        PAdESSignatureParameters parameters = new PAdESSignatureParameters();
        parameters.setSignatureLevel(SignatureLevel.PAdES_BASELINE_B);
        parameters.setDigestAlgorithm(DigestAlgorithm.valueOf(request.get("digest").asText()));
        Signer.attributes(parameters.bLevel(), request, parameters.getDigestAlgorithm());
        parameters.setSignerName(Oracle.string(request, "name"));
        parameters.setReason(Oracle.string(request, "reason"));
        parameters.setLocation(Oracle.string(request, "location"));
        parameters.setContactInfo(Oracle.string(request, "contact"));
        if (request.hasNonNull("certify")) {
            parameters.setPermission(CertificationPermission.fromCode(request.get("certify").asInt()));
        }
        if (request.hasNonNull("field")) {
            parameters.getImageParameters().getFieldParameters().setFieldId(request.get("field").asText());
        }
        if (request.hasNonNull("document_password")) {
            parameters.setPasswordProtection(request.get("document_password").asText().toCharArray());
        }
        DSSDocument document = new FileDocument(request.get("file").asText());
        char[] password = request.get("password").asText().toCharArray();
        try (Pkcs12SignatureToken token =
                new Pkcs12SignatureToken(request.get("pkcs12").asText(), new PasswordProtection(password))) {
            DSSPrivateKeyEntry key = token.getKeys().get(0);
            if (request.path("pss").asBoolean()) {
                parameters.setEncryptionAlgorithm(EncryptionAlgorithm.RSASSA_PSS);
            }
            parameters.setSigningCertificate(key.getCertificate());
            parameters.setCertificateChain(key.getCertificateChain());
            PAdESService service = new PAdESService(Oracle.verifier(request));
            ToBeSigned data = service.getDataToSign(document, parameters);
            SignatureValue value = token.sign(data, parameters.getSignatureAlgorithm(), key);
            service.signDocument(document, parameters, value).save(request.get("out").asText());
        }
        return Oracle.JSON.createObjectNode().put("signed", true);
    }
}
