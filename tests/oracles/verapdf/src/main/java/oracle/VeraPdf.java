package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.verapdf.core.EncryptedPdfException;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;
import org.verapdf.pdfa.validation.profiles.RuleId;

/**
 * veraPDF as judge. Reads one JSON object per line from standard input and
 * answers with one per line. It uses no network.
 *
 * <pre>
 * {"validate": {file, profile?}}   {encrypted, claims: ["2b", "ua1"], results: [{profile, compliant, failed: [...]}]}
 * </pre>
 *
 * It checks the profile of the request, or else every profile that the document
 * claims. A failed rule has its clause, test number, count and message. The answer
 * to a request that fails is {"error": "..."}.
 */
public final class VeraPdf {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** The parser's default for a document without a claim; metadata cannot claim it. */
    private static final PDFAFlavour UNCLAIMED = PDFAFlavour.WCAG_2_2;

    public static void main(String[] args) throws Exception {
        // Output of libraries must not mix with the answers.
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        VeraGreenfieldFoundryProvider.initialise();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ObjectNode answer;
            try {
                answer = validate(JSON.readTree(line).get("validate"));
            } catch (Exception | Error e) {
                answer = JSON.createObjectNode();
                answer.put("error", e.toString());
            }
            out.println(JSON.writeValueAsString(answer));
        }
    }

    private static ObjectNode validate(JsonNode request) throws Exception {
        ObjectNode answer = JSON.createObjectNode();
        answer.put("encrypted", false);
        ArrayNode claims = answer.putArray("claims");
        ArrayNode results = answer.putArray("results");
        File file = new File(request.get("file").asText());
        try (PDFAParser parser = parser(file, request)) {
            List<PDFAFlavour> flavours =
                parser.getFlavours().stream().filter(flavour -> flavour != UNCLAIMED).toList();
            flavours.forEach(flavour -> claims.add(flavour.getId()));
            if (!flavours.isEmpty()) {
                PDFAValidator validator = Foundries.defaultInstance().createValidator(flavours);
                for (ValidationResult result : validator.validateAll(parser)) {
                    result(results.addObject(), result);
                }
            }
        } catch (EncryptedPdfException e) {
            answer.put("encrypted", true);
        }
        return answer;
    }

    private static PDFAParser parser(File file, JsonNode request) throws Exception {
        return request.hasNonNull("profile")
            ? Foundries.defaultInstance().createParser(file, PDFAFlavour.byFlavourId(request.get("profile").asText()))
            : Foundries.defaultInstance().createParser(file, PDFAFlavour.NO_FLAVOUR, UNCLAIMED);
    }

    private static void result(ObjectNode node, ValidationResult result) {
        node.put("profile", result.getPDFAFlavour().getId());
        node.put("compliant", result.isCompliant());
        Map<RuleId, String> messages = new LinkedHashMap<>();
        for (TestAssertion assertion : result.getTestAssertions()) {
            messages.putIfAbsent(assertion.getRuleId(), assertion.getMessage());
        }
        ArrayNode failed = node.putArray("failed");
        result.getFailedChecks().entrySet().stream()
            .sorted((a, b) -> name(a.getKey()).compareTo(name(b.getKey())))
            .forEach(rule -> failed.addObject()
                .put("rule", name(rule.getKey()))
                .put("count", rule.getValue())
                .put("message", messages.get(rule.getKey())));
    }

    private static String name(RuleId rule) {
        return rule.getClause() + "-" + rule.getTestNumber();
    }
}
