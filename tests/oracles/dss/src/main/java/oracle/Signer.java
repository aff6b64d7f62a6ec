package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import eu.europa.esig.dss.cades.CAdESSignatureParameters;
import eu.europa.esig.dss.cades.signature.CAdESCounterSignatureParameters;
import eu.europa.esig.dss.cades.signature.CAdESService;
import eu.europa.esig.dss.enumerations.CommitmentType;
import eu.europa.esig.dss.enumerations.CommitmentTypeEnum;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.EncryptionAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.enumerations.SignaturePackaging;
import eu.europa.esig.dss.model.BLevelParameters;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.Policy;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.SignerLocation;
import eu.europa.esig.dss.model.ToBeSigned;
import eu.europa.esig.dss.model.UserNotice;
import eu.europa.esig.dss.token.DSSPrivateKeyEntry;
import eu.europa.esig.dss.token.Pkcs12SignatureToken;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import java.security.KeyStore.PasswordProtection;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;

/**
 * Makes a CAdES-BASELINE-B signature with DSS.
 *
 * <pre>
 * file, out          the document, and the path of the container
 * packaging          DETACHED or ENVELOPING
 * digest             SHA256, SHA384, SHA512
 * pkcs12, password   the key; pss: true for RSASSA-PSS
 * time?              the claimed signing time, RFC 3339
 * policy?            OID; policy_hash? (hex of the "digest" algorithm, else the zero hash), policy_url?, policy_notice?
 * commitments?       names of CommitmentTypeEnum, such as ProofOfApproval
 * roles?             claimed roles
 * location?          {country, locality, postal_address: []}
 * parallel?          a container to add a signature to; "file" is the original if it is detached
 * counter?           a container whose signature number "counter_index" (0) is countersigned; "file" as above
 * </pre>
 */
final class Signer {
    private Signer() {}

    static ObjectNode sign(JsonNode request) throws Exception {
        boolean counter = request.hasNonNull("counter");
        CAdESSignatureParameters parameters =
            counter ? new CAdESCounterSignatureParameters() : new CAdESSignatureParameters();
        parameters.setSignatureLevel(SignatureLevel.CAdES_BASELINE_B);
        SignaturePackaging packaging = SignaturePackaging.valueOf(request.get("packaging").asText());
        parameters.setSignaturePackaging(packaging);
        parameters.setDigestAlgorithm(DigestAlgorithm.valueOf(request.get("digest").asText()));
        attributes(parameters.bLevel(), request, parameters.getDigestAlgorithm());
        location(parameters.bLevel(), request);

        DSSDocument document = new FileDocument(request.get("file").asText());
        boolean existing = counter || request.hasNonNull("parallel");
        if (existing && packaging == SignaturePackaging.DETACHED) {
            parameters.setDetachedContents(List.of(document));
        }
        if (existing) {
            document = new FileDocument(request.get(counter ? "counter" : "parallel").asText());
        }
        char[] password = request.get("password").asText().toCharArray();
        try (Pkcs12SignatureToken token =
                new Pkcs12SignatureToken(request.get("pkcs12").asText(), new PasswordProtection(password))) {
            DSSPrivateKeyEntry key = token.getKeys().get(0);
            if (request.path("pss").asBoolean()) {
                parameters.setEncryptionAlgorithm(EncryptionAlgorithm.RSASSA_PSS);
            }
            parameters.setSigningCertificate(key.getCertificate());
            parameters.setCertificateChain(key.getCertificateChain());
            CAdESService service = new CAdESService(Oracle.verifier(request));
            DSSDocument signed = parameters instanceof CAdESCounterSignatureParameters of
                ? counterSign(service, token, key, document, of, request)
                : sign(service, token, key, document, parameters);
            signed.save(request.get("out").asText());
        }
        return Oracle.JSON.createObjectNode().put("signed", true);
    }

    private static DSSDocument sign(
            CAdESService service, Pkcs12SignatureToken token, DSSPrivateKeyEntry key,
            DSSDocument document, CAdESSignatureParameters parameters) {
        ToBeSigned data = service.getDataToSign(document, parameters);
        SignatureValue value = token.sign(data, parameters.getSignatureAlgorithm(), key);
        return service.signDocument(document, parameters, value);
    }

    private static DSSDocument counterSign(
            CAdESService service, Pkcs12SignatureToken token, DSSPrivateKeyEntry key,
            DSSDocument document, CAdESCounterSignatureParameters parameters, JsonNode request) {
        SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(document);
        validator.setCertificateVerifier(Oracle.verifier(request));
        if (parameters.getDetachedContents() != null) {
            validator.setDetachedContents(parameters.getDetachedContents());
        }
        int index = request.path("counter_index").asInt(0);
        parameters.setSignatureIdToCounterSign(validator.getSignatures().get(index).getId());
        ToBeSigned data = service.getDataToBeCounterSigned(document, parameters);
        SignatureValue value = token.sign(data, parameters.getSignatureAlgorithm(), key);
        return service.counterSignSignature(document, parameters, value);
    }

    /** Signing time, policy, commitments, roles. */
    static void attributes(BLevelParameters level, JsonNode request, DigestAlgorithm digest) {
        if (request.hasNonNull("time")) {
            level.setSigningDate(Date.from(Instant.parse(request.get("time").asText())));
        }
        if (request.hasNonNull("policy")) {
            level.setSignaturePolicy(policy(request, digest));
        }
        List<CommitmentType> commitments = new ArrayList<>();
        request.path("commitments").forEach(name -> commitments.add(CommitmentTypeEnum.valueOf(name.asText())));
        if (!commitments.isEmpty()) {
            level.setCommitmentTypeIndications(commitments);
        }
        List<String> roles = new ArrayList<>();
        request.path("roles").forEach(role -> roles.add(role.asText()));
        if (!roles.isEmpty()) {
            level.setClaimedSignerRoles(roles);
        }
    }

    private static void location(BLevelParameters level, JsonNode request) {
        if (request.hasNonNull("location")) {
            JsonNode given = request.get("location");
            SignerLocation location = new SignerLocation();
            location.setCountry(Oracle.string(given, "country"));
            location.setLocality(Oracle.string(given, "locality"));
            List<String> lines = new ArrayList<>();
            given.path("postal_address").forEach(line -> lines.add(line.asText()));
            if (!lines.isEmpty()) {
                location.setPostalAddress(lines);
            }
            level.setSignerLocation(location);
        }
    }

    private static Policy policy(JsonNode request, DigestAlgorithm digest) {
        Policy policy = new Policy();
        policy.setId(request.get("policy").asText());
        String hash = Oracle.string(request, "policy_hash");
        policy.setDigestAlgorithm(hash == null ? DigestAlgorithm.SHA256 : digest);
        policy.setDigestValue(hash == null ? new byte[32] : HexFormat.of().parseHex(hash));
        policy.setSpuri(Oracle.string(request, "policy_url"));
        String notice = Oracle.string(request, "policy_notice");
        if (notice != null) {
            UserNotice userNotice = new UserNotice();
            userNotice.setExplicitText(notice);
            policy.setUserNotice(userNotice);
        }
        return policy;
    }
}
