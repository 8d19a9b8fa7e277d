package bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import org.apache.camel.Exchange;

/** The join as a Java developer writes it: hits with the price of each, and the total. */
final class Join {
    private static final String FOUND = "found";
    private final ObjectMapper json = new ObjectMapper();

    /** Keeps the search answer and makes the body the question for its prices. */
    void rememberHits(Exchange exchange) throws IOException {
        JsonNode found = json.readTree(exchange.getMessage().getBody(byte[].class));
        exchange.setProperty(FOUND, found);

        ObjectNode question = json.createObjectNode();
        ArrayNode skus = question.putArray("skus");
        found.path("hits").forEach(hit -> skus.add(hit.get("sku")));
        exchange.getMessage().setBody(json.writeValueAsBytes(question));
    }

    /** Makes the body the answer to the shopper. */
    void hitsWithPrices(Exchange exchange) throws IOException {
        JsonNode found = exchange.getProperty(FOUND, JsonNode.class);
        JsonNode prices = json.readTree(exchange.getMessage().getBody(byte[].class));

        ObjectNode answer = json.createObjectNode();
        ArrayNode items = answer.putArray("items");
        for (JsonNode hit : found.path("hits")) {
            ObjectNode item = items.addObject();
            item.set("sku", hit.get("sku"));
            item.set("name", hit.get("name"));
            JsonNode price = prices.get(hit.path("sku").asText());
            if (price != null) {
                item.set("price", price);
            }
        }
        answer.set("total", found.get("estimatedTotalHits"));
        exchange.getMessage().setBody(json.writeValueAsBytes(answer));
    }
}
