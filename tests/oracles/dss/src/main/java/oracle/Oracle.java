package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import eu.europa.esig.dss.cades.CAdESSignatureParameters;
import eu.europa.esig.dss.cades.signature.CAdESService;
import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.jaxb.XmlDigestMatcher;
import eu.europa.esig.dss.enumerations.CommitmentTypeEnum;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.EncryptionAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.enumerations.SignaturePackaging;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.Policy;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.ToBeSigned;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.token.DSSPrivateKeyEntry;
import eu.europa.esig.dss.token.Pkcs12SignatureToken;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore.PasswordProtection;
import java.util.Arrays;
import java.util.List;

/**
 * EU DSS as judge and as signer. Reads one JSON object a line from standard
 * input and answers with one: {"validate": {file, original?, trust: [pem]}} or
 * {"sign": {file, out, packaging, digest, pkcs12, password, ...}}. No network.
 */
public final class Oracle {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        // Whatever a library prints must not come between the answers.
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ObjectNode answer;
            try {
                JsonNode request = JSON.readTree(line);
                answer = request.has("validate") ? validate(request.get("validate")) : sign(request.get("sign"));
            } catch (Exception | Error e) {
                answer = JSON.createObjectNode();
                answer.put("error", e.toString());
            }
            out.println(JSON.writeValueAsString(answer));
        }
    }

    private static CommonCertificateVerifier verifier(JsonNode request) {
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        for (JsonNode pem : request.withArray("trust")) {
            trusted.addCertificate(DSSUtils.loadCertificate(new File(pem.asText())));
        }
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setTrustedCertSources(trusted);
        verifier.setAIASource(null);
        return verifier;
    }

    private static ObjectNode validate(JsonNode request) {
        SignedDocumentValidator validator =
            SignedDocumentValidator.fromDocument(new FileDocument(request.get("file").asText()));
        validator.setCertificateVerifier(verifier(request));
        if (request.hasNonNull("original")) {
            validator.setDetachedContents(List.of(new FileDocument(request.get("original").asText())));
        }
        Reports reports = validator.validateDocument();
        DiagnosticData data = reports.getDiagnosticData();
        SimpleReport simple = reports.getSimpleReport();
        ObjectNode answer = JSON.createObjectNode();
        ArrayNode signatures = answer.putArray("signatures");
        for (SignatureWrapper signature : data.getSignatures()) {
            ObjectNode node = signatures.addObject();
            String id = signature.getId();
            node.put("level", String.valueOf(signature.getSignatureFormat()));
            node.put("intact", signature.isSignatureIntact());
            node.put("valid", signature.isSignatureValid());
            node.put("counter", signature.isCounterSignature());
            node.put("structure_valid", signature.isStructuralValidationValid());
            strings(node.putArray("structure"), signature.getStructuralValidationMessages());
            ArrayNode digests = node.putArray("digests");
            for (XmlDigestMatcher matcher : signature.getDigestMatchers()) {
                ObjectNode digest = digests.addObject();
                digest.put("type", String.valueOf(matcher.getType()));
                digest.put("found", matcher.isDataFound());
                digest.put("intact", matcher.isDataIntact());
            }
            node.put("signing_certificate_identified", signature.isSigningCertificateIdentified());
            node.put("signing_certificate_unique", signature.isSigningCertificateReferenceUnique());
            node.put("indication", String.valueOf(simple.getIndication(id)));
            node.put("sub_indication", String.valueOf(simple.getSubIndication(id)));
            messages(node.putArray("errors"), simple.getAdESValidationErrors(id));
            messages(node.putArray("warnings"), simple.getAdESValidationWarnings(id));
            node.put("signing_time", String.valueOf(signature.getClaimedSigningTime()));
            node.put("policy", signature.getPolicyId());
            node.put("policy_url", signature.getPolicyUrl());
            node.put("policy_notice", signature.getPolicyUserNotice() == null ? null : signature.getPolicyUserNotice().getExplicitText());
            node.put("mime_type", signature.getMimeType());
            node.put("content_hints", signature.getContentHints());
            node.put("country", signature.getCountryName());
            node.put("city", signature.getCity());
            ArrayNode commitments = node.putArray("commitments");
            signature.getCommitmentTypeIndications().forEach(c -> commitments.add(c.getIdentifier()));
            ArrayNode roles = node.putArray("roles");
            signature.getSignerRoles().forEach(r -> roles.add(r.getRole()));
        }
        return answer;
    }

    private static void messages(ArrayNode array, List<eu.europa.esig.dss.jaxb.object.Message> messages) {
        messages.forEach(message -> array.add(message.getValue()));
    }

    private static void strings(ArrayNode array, List<String> strings) {
        if (strings != null) {
            strings.forEach(array::add);
        }
    }

    private static ObjectNode sign(JsonNode request) throws Exception {
        CAdESSignatureParameters parameters = new CAdESSignatureParameters();
        parameters.setSignatureLevel(SignatureLevel.CAdES_BASELINE_B);
        parameters.setSignaturePackaging(SignaturePackaging.valueOf(request.get("packaging").asText()));
        parameters.setDigestAlgorithm(DigestAlgorithm.valueOf(request.get("digest").asText()));
        if (request.hasNonNull("policy")) {
            Policy policy = new Policy();
            policy.setId(request.get("policy").asText());
            policy.setDigestAlgorithm(DigestAlgorithm.SHA256);
            policy.setDigestValue(new byte[32]);
            policy.setSpuri("https://policy.example/p.pdf");
            parameters.bLevel().setSignaturePolicy(policy);
            parameters.bLevel().setCommitmentTypeIndications(Arrays.asList(CommitmentTypeEnum.ProofOfApproval));
            parameters.bLevel().setClaimedSignerRoles(Arrays.asList("Director"));
        }
        char[] password = request.get("password").asText().toCharArray();
        DSSDocument document = new FileDocument(request.get("file").asText());
        try (Pkcs12SignatureToken token =
                new Pkcs12SignatureToken(request.get("pkcs12").asText(), new PasswordProtection(password))) {
            DSSPrivateKeyEntry key = token.getKeys().get(0);
            if (request.path("pss").asBoolean()) {
                parameters.setEncryptionAlgorithm(EncryptionAlgorithm.RSASSA_PSS);
            }
            parameters.setSigningCertificate(key.getCertificate());
            parameters.setCertificateChain(key.getCertificateChain());
            CAdESService service = new CAdESService(verifier(request));
            ToBeSigned data = service.getDataToSign(document, parameters);
            SignatureValue value = token.sign(data, parameters.getSignatureAlgorithm(), key);
            service.signDocument(document, parameters, value).save(request.get("out").asText());
        }
        return JSON.createObjectNode().put("signed", true);
    }
}
