package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.spi.x509.tsp.KeyEntityTSPSource;
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
 * Raises the XAdES signatures of a document with DSS.
 *
 * <pre>
 * file, out          the signed document, and the path of the raised one
 * original?, originals?   as for "validate"
 * level              T, LT or LTA
 * tsa, password      the key of the time-stamping service, PKCS#12
 * time               the time of the time-stamps, RFC 3339
 * crls               files
 * trust              the trust anchors
 * </pre>
 */
final class XmlRaiser {
    private XmlRaiser() {}

    static ObjectNode raise(JsonNode request) throws Exception {
        XAdESSignatureParameters parameters = new XAdESSignatureParameters();
        parameters.setSignatureLevel(SignatureLevel.valueOf("XAdES_BASELINE_" + request.get("level").asText()));
        parameters.setDetachedContents(Oracle.original(request));
        List<DSSDocument> lists = new ArrayList<>();
        request.path("crls").forEach(path -> lists.add(new FileDocument(path.asText())));
        CommonCertificateVerifier verifier = Oracle.verifier(request);
        verifier.setCrlSource(new ExternalResourcesCRLSource(lists.toArray(new DSSDocument[0])));
        XAdESService service = new XAdESService(verifier);
        service.setTspSource(source(request));
        DSSDocument signed = new FileDocument(request.get("file").asText());
        service.extendDocument(signed, parameters).save(request.get("out").asText());
        return Oracle.JSON.createObjectNode().put("raised", true);
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
}
