package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import eu.europa.esig.dss.cades.CAdESSignatureParameters;
import eu.europa.esig.dss.cades.signature.CAdESService;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.TimestampBinary;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.spi.x509.revocation.ocsp.ExternalResourcesOCSPSource;
import eu.europa.esig.dss.spi.x509.tsp.KeyEntityTSPSource;
import eu.europa.esig.dss.spi.x509.tsp.TSPSource;
import eu.europa.esig.dss.xades.XAdESSignatureParameters;
import eu.europa.esig.dss.xades.signature.XAdESService;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;

/**
 * Raises the signatures of a document with DSS.
 *
 * <pre>
 * format             CAdES, PAdES or XAdES
 * file, out          the signed document, and the path of the raised one
 * original?, originals?   as for "validate"
 * level              T, LT or LTA
 * tsa, password      the key of the time-stamping service, PKCS#12
 * time               the time of the time-stamps, RFC 3339
 * crls?, ocsps?      files
 * trust              the trust anchors
 * </pre>
 *
 * The answer has "nanoseconds": the time from file to file, without that of the time-stamping
 * service.
 */
final class Raiser {
    private Raiser() {}

    static ObjectNode raise(JsonNode request) throws Exception {
        Timed source = new Timed(source(request));
        CommonCertificateVerifier verifier = Oracle.verifier(request);
        verifier.setCrlSource(new ExternalResourcesCRLSource(files(request, "crls")));
        if (request.has("ocsps")) {
            verifier.setOcspSource(new ExternalResourcesOCSPSource(files(request, "ocsps")));
        }
        long start = System.nanoTime();
        DSSDocument signed = new FileDocument(request.get("file").asText());
        raised(request, signed, verifier, source).save(request.get("out").asText());
        long all = System.nanoTime() - start;
        return Oracle.JSON.createObjectNode().put("raised", true).put("nanoseconds", all - source.nanoseconds);
    }

    private static DSSDocument raised(
            JsonNode request, DSSDocument signed, CommonCertificateVerifier verifier, TSPSource source) {
        String format = request.get("format").asText();
        SignatureLevel level = SignatureLevel.valueOf(format + "_BASELINE_" + request.get("level").asText());
        switch (format) {
            case "CAdES": {
                CAdESSignatureParameters parameters = new CAdESSignatureParameters();
                parameters.setSignatureLevel(level);
                parameters.setDetachedContents(Oracle.original(request));
                CAdESService service = new CAdESService(verifier);
                service.setTspSource(source);
                return service.extendDocument(signed, parameters);
            }
            case "PAdES": {
                PAdESSignatureParameters parameters = new PAdESSignatureParameters();
                parameters.setSignatureLevel(level);
                PAdESService service = new PAdESService(verifier);
                service.setTspSource(source);
                return service.extendDocument(signed, parameters);
            }
            default: {
                XAdESSignatureParameters parameters = new XAdESSignatureParameters();
                parameters.setSignatureLevel(level);
                parameters.setDetachedContents(Oracle.original(request));
                XAdESService service = new XAdESService(verifier);
                service.setTspSource(source);
                return service.extendDocument(signed, parameters);
            }
        }
    }

    private static DSSDocument[] files(JsonNode request, String name) {
        List<DSSDocument> files = new ArrayList<>();
        request.path(name).forEach(path -> files.add(new FileDocument(path.asText())));
        return files.toArray(new DSSDocument[0]);
    }

    private static KeyEntityTSPSource source(JsonNode request) throws Exception {
        char[] password = request.get("password").asText().toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(Path.of(request.get("tsa").asText()))) {
            store.load(in, password);
        }
        KeyEntityTSPSource source = new KeyEntityTSPSource(store, store.aliases().nextElement(), password);
        source.setTsaPolicy("1.2.3.4.1");
        source.setDigestAlgorithm(DigestAlgorithm.SHA256);
        source.setProductionTime(Date.from(Instant.parse(request.get("time").asText())));
        return source;
    }

    /** A time-stamping service whose own time is counted. */
    private static final class Timed implements TSPSource {
        private static final long serialVersionUID = 1;

        private final TSPSource service;
        private long nanoseconds;

        private Timed(TSPSource service) {
            this.service = service;
        }

        @Override
        public TimestampBinary getTimeStampResponse(DigestAlgorithm algorithm, byte[] digest) {
            long start = System.nanoTime();
            TimestampBinary response = service.getTimeStampResponse(algorithm, digest);
            nanoseconds += System.nanoTime() - start;
            return response;
        }
    }
}
