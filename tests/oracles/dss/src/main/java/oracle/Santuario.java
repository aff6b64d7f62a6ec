package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.Base64;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import org.apache.xml.security.Init;
import org.apache.xml.security.c14n.Canonicalizer;
import org.apache.xml.security.signature.XMLSignatureInput;
import org.apache.xml.security.transforms.Transforms;
import org.apache.xml.security.transforms.params.InclusiveNamespaces;
import org.apache.xml.security.transforms.params.XPathContainer;
import org.w3c.dom.Attr;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.ErrorHandler;
import org.xml.sax.SAXException;
import org.xml.sax.SAXParseException;

/**
 * Canonical forms by Apache Santuario, as DSS ships it.
 *
 * <pre>
 * document    in base64
 * method      the algorithm's URI
 * prefixes?   the prefix list, with spaces between
 * id?         of the element to canonicalise, with all that is in it; the whole document if neither this nor node_set is given
 * node_set?   an XPath expression, true for the nodes to canonicalise: the transform XPath 1.0
 * </pre>
 *
 * Answers with {form: base64}.
 */
final class Santuario {
    private static final DocumentBuilderFactory FACTORY = DocumentBuilderFactory.newInstance();

    static {
        Init.init();
        FACTORY.setNamespaceAware(true);
    }

    private Santuario() {}

    static ObjectNode canonicalise(JsonNode request) throws Exception {
        Document document = parse(Base64.getDecoder().decode(request.get("document").asText()));
        String method = request.get("method").asText();
        String prefixes = Oracle.string(request, "prefixes");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        if (request.hasNonNull("node_set")) {
            XMLSignatureInput input = new XMLSignatureInput(document);
            transforms(method, prefixes, request.get("node_set").asText()).performTransforms(input, out);
        } else {
            Node apex = request.hasNonNull("id") ? element(document, request.get("id").asText()) : document;
            Canonicalizer canonicalizer = Canonicalizer.getInstance(method);
            if (prefixes == null) {
                canonicalizer.canonicalizeSubtree(apex, out);
            } else {
                canonicalizer.canonicalizeSubtree(apex, prefixes, out);
            }
        }
        return Oracle.JSON.createObjectNode().put("form", Base64.getEncoder().encodeToString(out.toByteArray()));
    }

    private static Transforms transforms(String method, String prefixes, String expression) throws Exception {
        Document of = FACTORY.newDocumentBuilder().newDocument();
        Transforms transforms = new Transforms(of);
        XPathContainer xpath = new XPathContainer(of);
        xpath.setXPath(expression);
        of.appendChild(transforms.getElement());
        transforms.addTransform(Transforms.TRANSFORM_XPATH, xpath.getElementPlusReturns());
        if (prefixes == null) {
            transforms.addTransform(method);
        } else {
            transforms.addTransform(method, new InclusiveNamespaces(of, prefixes).getElement());
        }
        return transforms;
    }

    private static Element element(Document document, String id) {
        NodeList all = document.getElementsByTagName("*");
        for (int i = 0; i < all.getLength(); i++) {
            Element element = (Element) all.item(i);
            Attr attribute = element.getAttributeNode("Id");
            if (attribute != null && attribute.getValue().equals(id)) {
                return element;
            }
        }
        throw new IllegalArgumentException("no element has the Id " + id);
    }

    static Document parse(byte[] octets) throws Exception {
        DocumentBuilder builder = FACTORY.newDocumentBuilder();
        builder.setErrorHandler(STRICT);
        return builder.parse(new ByteArrayInputStream(octets));
    }

    /** Says nothing, but for what it throws. */
    private static final ErrorHandler STRICT = new ErrorHandler() {
        @Override
        public void warning(SAXParseException e) {}

        @Override
        public void error(SAXParseException e) {}

        @Override
        public void fatalError(SAXParseException e) throws SAXException {
            throw e;
        }
    };
}
