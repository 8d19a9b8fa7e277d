package bench;

import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;

/** MAP: the JSONata text of the Isthmus Mapping, run by camel-jsonata. */
final class MapRoute extends RouteBuilder {
    @Override
    public void configure() {
        String mapping = System.getProperty("bench.mapping");
        from("platform-http:/orders?httpMethodRestrict=POST")
            .to("jsonata:file:" + mapping + "?inputType=JsonString&outputType=JsonString"
                + "&contentCache=true")
            .removeHeaders("*")
            .setHeader(Exchange.CONTENT_TYPE, constant("application/json"));
    }
}
