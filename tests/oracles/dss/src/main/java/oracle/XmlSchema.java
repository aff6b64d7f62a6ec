package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import eu.europa.esig.dss.jaxb.common.XSDAbstractUtils;
import eu.europa.esig.trustedlist.TrustedListUtils;
import eu.europa.esig.validationreport.ValidationReportUtils;
import eu.europa.esig.xades.XAdES319132Utils;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamSource;
import javax.xml.validation.Schema;
import javax.xml.validation.Validator;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.ErrorHandler;
import org.xml.sax.SAXException;
import org.xml.sax.SAXParseException;

/**
 * Validates the signatures of a document, "file", against the schemas of XML
 * Signature and of XAdES 1.3.2 and 1.4.1, which DSS ships. Answers with
 * {signatures: their number, problems: [...]}.
 */
final class XmlSchema {
    private static Schema schema;

    private XmlSchema() {}

    static ObjectNode validate(JsonNode request) throws Exception {
        if (schema == null) {
            schema = XAdES319132Utils.getInstance().getSchema();
        }
        Document document = Santuario.parse(Files.readAllBytes(Path.of(request.get("file").asText())));
        NodeList all = document.getElementsByTagNameNS(XMLSignature.XMLNS, "Signature");
        ObjectNode answer = Oracle.JSON.createObjectNode();
        ArrayNode problems = answer.putArray("problems");
        for (int i = 0; i < all.getLength(); i++) {
            Element signature = (Element) all.item(i);
            if (isOutermost(signature)) {
                Validator validator = schema.newValidator();
                validator.setErrorHandler(new Collector(problems));
                validator.validate(new DOMSource(signature));
            }
        }
        answer.put("signatures", all.getLength());
        return answer;
    }

    /**
     * Validates a whole document, "file", against a schema of ETSI, "of": report (TS 119 102-2)
     * or trusted-list (TS 119 612). Answers with {problems: [...]}.
     */
    static ObjectNode validateWhole(JsonNode request) {
        String of = request.get("of").asText();
        XSDAbstractUtils schemas = switch (of) {
            case "report" -> ValidationReportUtils.getInstance();
            case "trusted-list" -> TrustedListUtils.getInstance();
            default -> throw new IllegalArgumentException(of);
        };
        ObjectNode answer = Oracle.JSON.createObjectNode();
        ArrayNode problems = answer.putArray("problems");
        StreamSource document = new StreamSource(Path.of(request.get("file").asText()).toFile());
        schemas.validateAgainstXSD(document).forEach(problems::add);
        return answer;
    }

    /** A signature inside another one is validated with the outer one. */
    private static boolean isOutermost(Element signature) {
        for (Node above = signature.getParentNode(); above != null; above = above.getParentNode()) {
            if (XMLSignature.XMLNS.equals(above.getNamespaceURI()) && "Signature".equals(above.getLocalName())) {
                return false;
            }
        }
        return true;
    }

    private record Collector(ArrayNode problems) implements ErrorHandler {
        @Override
        public void warning(SAXParseException e) {
            problems.add(e.getMessage());
        }

        @Override
        public void error(SAXParseException e) {
            problems.add(e.getMessage());
        }

        @Override
        public void fatalError(SAXParseException e) throws SAXException {
            throw e;
        }
    }
}
