package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.util.Arrays;
import java.util.Collection;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1InputStream;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.util.Store;

/**
 * Facts about a CMS container from BouncyCastle, on which DSS is built: the version,
 * whether it is DER, whether octets follow it, and whether each signer's signature
 * verifies with a certificate in the container.
 */
final class StrictCms {
    private StrictCms() {}

    static ObjectNode parse(JsonNode request) throws Exception {
        byte[] octets = Files.readAllBytes(Path.of(request.get("file").asText()));
        ObjectNode answer = Oracle.JSON.createObjectNode();
        try (ASN1InputStream in = new ASN1InputStream(octets)) {
            ASN1Primitive object = in.readObject();
            answer.put("der", Arrays.equals(object.getEncoded(ASN1Encoding.DER), octets));
            answer.put("trailing", in.available() > 0);
        }
        String original = Oracle.string(request, "original");
        CMSSignedData cms = original == null
            ? new CMSSignedData(octets)
            : new CMSSignedData(new CMSProcessableByteArray(Files.readAllBytes(Path.of(original))), octets);
        answer.put("version", cms.getVersion());
        answer.put("content_type", cms.getSignedContentTypeOID());
        answer.put("certificates", cms.getCertificates().getMatches(null).size());
        ArrayNode signers = answer.putArray("signers");
        for (SignerInformation signer : cms.getSignerInfos()) {
            signer(signers, signer, cms.getCertificates());
        }
        return answer;
    }

    private static void signer(ArrayNode signers, SignerInformation signer, Store<X509CertificateHolder> store) {
        ObjectNode node = signers.addObject();
        node.put("version", signer.getVersion());
        node.put("counter", signer.isCounterSignature());
        @SuppressWarnings("unchecked") // The identifier selects certificates only.
        Collection<X509CertificateHolder> found = store.getMatches(signer.getSID());
        node.put("certificate_found", !found.isEmpty());
        boolean verified = false;
        String problem = null;
        for (X509CertificateHolder certificate : found) {
            try {
                verified |= signer.verify(new JcaSimpleSignerInfoVerifierBuilder()
                    .setProvider(new BouncyCastleProvider()).build(certificate));
            } catch (CMSException | OperatorCreationException | CertificateException e) {
                problem = e.toString();
            }
        }
        node.put("verified", verified);
        node.put("problem", problem);
        for (SignerInformation counter : signer.getCounterSignatures()) {
            signer(signers, counter, store);
        }
    }
}
