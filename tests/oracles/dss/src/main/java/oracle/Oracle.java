package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * EU DSS as judge and as signer. Reads one JSON object per line from standard
 * input and answers with one per line. It uses no network.
 *
 * <pre>
 * {"ping": {}}                                                  the versions: {dss, bouncycastle, java}
 * {"validate": {file, original?, originals?: {name: file},      {signatures: [...], timestamps: [...]}, see {@link Judge}
 *               trust?: [pem], time?, password?}}
 * {"sign": {file, out, packaging, digest, pkcs12, password,     {signed: true}, see {@link Signer}
 *           pss?, time?, policy?..., parallel?, counter?}}
 * {"sign_pdf": {file, out, digest, pkcs12, password, ...}}      {signed: true}, see {@link PdfSigner}
 * {"sign_xml": {file, out, packaging, digest, c14n?, ...}}      {signed: true}, see {@link XmlSigner}
 * {"raise": {format, file, out, level, tsa, password, ...}}     {raised: true, nanoseconds}, see {@link Raiser}
 * {"parse_cms": {file, original?}}                              see {@link StrictCms}
 * {"canonicalise": {document, method, ...}}                     {form}, see {@link Santuario}
 * {"schema": {file}}                                            {signatures, problems: []}, see {@link XmlSchema}
 * {"etsi_schema": {file, of}}                                   {problems: []}, see {@link XmlSchema}
 * </pre>
 *
 * The answer to a request that fails is {"error": "..."}. To add a format, add its
 * module to pom.xml: {@link Judge} finds the validator for the file.
 */
public final class Oracle {
    static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        // Output of libraries must not mix with the answers.
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ObjectNode answer;
            try {
                answer = answer(JSON.readTree(line));
            } catch (Exception | Error e) {
                answer = JSON.createObjectNode();
                answer.put("error", e.toString());
            }
            out.println(JSON.writeValueAsString(answer));
        }
    }

    private static ObjectNode answer(JsonNode request) throws Exception {
        String command = request.fieldNames().next();
        JsonNode of = request.get(command);
        return switch (command) {
            case "ping" -> ping();
            case "validate" -> Judge.validate(of);
            case "sign" -> Signer.sign(of);
            case "sign_pdf" -> PdfSigner.sign(of);
            case "sign_xml" -> XmlSigner.sign(of);
            case "raise" -> Raiser.raise(of);
            case "parse_cms" -> StrictCms.parse(of);
            case "canonicalise" -> Santuario.canonicalise(of);
            case "schema" -> XmlSchema.validate(of);
            case "etsi_schema" -> XmlSchema.validateWhole(of);
            default -> throw new IllegalArgumentException("no such command: " + command);
        };
    }

    private static ObjectNode ping() throws IOException {
        Properties dss = new Properties();
        try (InputStream in = DSSUtils.class.getResourceAsStream(
                "/META-INF/maven/eu.europa.ec.joinup.sd-dss/dss-spi/pom.properties")) {
            dss.load(in);
        }
        return JSON.createObjectNode()
            .put("dss", dss.getProperty("version"))
            .put("bouncycastle", new BouncyCastleProvider().getVersionStr())
            .put("java", System.getProperty("java.version"));
    }

    /** A verifier with the trust anchors of the request. It fetches nothing. */
    static CommonCertificateVerifier verifier(JsonNode request) {
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        for (JsonNode pem : request.path("trust")) {
            trusted.addCertificate(DSSUtils.loadCertificate(new File(pem.asText())));
        }
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setTrustedCertSources(trusted);
        verifier.setAIASource(null);
        verifier.setCrlSource(null);
        verifier.setOcspSource(null);
        return verifier;
    }

    /** The originals of a detached signature, if the request names any. */
    static List<DSSDocument> original(JsonNode request) {
        if (request.hasNonNull("originals")) {
            return named(request.get("originals"));
        }
        return request.hasNonNull("original")
            ? List.of(new FileDocument(request.get("original").asText()))
            : List.of();
    }

    /** Files with the names that signatures use for them. */
    static List<DSSDocument> named(JsonNode files) {
        List<DSSDocument> documents = new ArrayList<>();
        files.fields().forEachRemaining(entry -> {
            FileDocument document = new FileDocument(entry.getValue().asText());
            document.setName(entry.getKey());
            documents.add(document);
        });
        return documents;
    }

    /** A string of the request, or null. */
    static String string(JsonNode request, String name) {
        return request.hasNonNull(name) ? request.get(name).asText() : null;
    }

    static void strings(ArrayNode array, List<String> strings) {
        if (strings != null) {
            strings.forEach(array::add);
        }
    }
}
