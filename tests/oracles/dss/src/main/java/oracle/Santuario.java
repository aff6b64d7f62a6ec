package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.Base64;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathFactory;
import org.apache.xml.security.Init;
import org.apache.xml.security.c14n.Canonicalizer;
import org.apache.xml.security.signature.NodeFilter;
import org.apache.xml.security.signature.XMLSignatureInput;
import org.apache.xml.security.transforms.Transforms;
import org.apache.xml.security.transforms.params.InclusiveNamespaces;
import org.w3c.dom.Attr;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.ErrorHandler;
import org.xml.sax.SAXException;
import org.xml.sax.SAXParseException;

/**
 * Canonical forms by the Apache Santuario that DSS ships.
 *
 * <pre>
 * document    in base64
 * method      the algorithm's URI
 * prefixes?   the prefix list, separated by spaces
 * id?         the element to canonicalise, with its content; without this and node_set, the whole document
 * node_set?   an XPath expression, true for the nodes to canonicalise
 * </pre>
 *
 * Answers with {form: base64}.
 */
final class Santuario {
    private static final DocumentBuilderFactory FACTORY = DocumentBuilderFactory.newInstance();
    /** Reads CDATA sections as text: the JDK's XPath does not find those next to text. */
    private static final DocumentBuilderFactory FOR_XPATH = DocumentBuilderFactory.newInstance();

    static {
        Init.init();
        FACTORY.setNamespaceAware(true);
        FOR_XPATH.setNamespaceAware(true);
        FOR_XPATH.setCoalescing(true);
    }

    private Santuario() {}

    static ObjectNode canonicalise(JsonNode request) throws Exception {
        DocumentBuilderFactory factory = request.hasNonNull("node_set") ? FOR_XPATH : FACTORY;
        Document document = parse(factory, Base64.getDecoder().decode(request.get("document").asText()));
        String method = request.get("method").asText();
        String prefixes = Oracle.string(request, "prefixes");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        if (request.hasNonNull("node_set")) {
            XMLSignatureInput input = new XMLSignatureInput(document);
            input.addNodeFilter(new Members(document, request.get("node_set").asText()));
            input.setNodeSet(true);
            transforms(method, prefixes).performTransforms(input, out);
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

    private static Transforms transforms(String method, String prefixes) throws Exception {
        Document of = FACTORY.newDocumentBuilder().newDocument();
        Transforms transforms = new Transforms(of);
        if (prefixes == null) {
            transforms.addTransform(method);
        } else {
            transforms.addTransform(method, new InclusiveNamespaces(of, prefixes).getElement());
        }
        return transforms;
    }

    /**
     * The nodes for which an expression is true: the result of the transform XPath 1.0, which evaluates the
     * expression for each node, and for which the JDK walks the whole document each time. Attributes and
     * namespaces belong to their elements.
     */
    private static final class Members implements NodeFilter {
        private final Set<Node> members = Collections.newSetFromMap(new IdentityHashMap<>());

        Members(Document document, String expression) throws Exception {
            NodeList found = (NodeList) XPathFactory.newInstance().newXPath()
                .evaluate("(/ | //node())[" + expression + "]", document, XPathConstants.NODESET);
            for (int i = 0; i < found.getLength(); i++) {
                members.add(found.item(i));
            }
        }

        @Override
        public int isNodeInclude(Node node) {
            Node of = node instanceof Attr attribute ? attribute.getOwnerElement() : node;
            return members.contains(of) ? 1 : 0;
        }

        @Override
        public int isNodeIncludeDO(Node node, int level) {
            return isNodeInclude(node);
        }
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
        return parse(FACTORY, octets);
    }

    private static Document parse(DocumentBuilderFactory factory, byte[] octets) throws Exception {
        DocumentBuilder builder = factory.newDocumentBuilder();
        builder.setErrorHandler(STRICT);
        return builder.parse(new ByteArrayInputStream(octets));
    }

    /** Throws fatal errors and prints nothing. */
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
