package bench;

import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;

/** COMPOSE: search, then prices with a fall-back, then the join by hand in {@link Join}. */
final class ComposeRoute extends RouteBuilder {
    private static final String UPSTREAM = "vertx-http:http://127.0.0.1:18081";
    private static final String NO_PRICES = "{}";

    @Override
    public void configure() {
        Join join = new Join();
        from("platform-http:/search?httpMethodRestrict=GET")
            .setHeader(Exchange.HTTP_QUERY, simple("q=${header.q}"))
            .removeHeaders("CamelHttp*", Exchange.HTTP_QUERY)
            .to(UPSTREAM + "/products/search?httpMethod=GET&timeout=2000")
            .process(join::rememberHits)
            .removeHeaders("*")
            .setHeader(Exchange.CONTENT_TYPE, constant("application/json"))
            .doTry()
                .to(UPSTREAM + "/prices?httpMethod=POST&timeout=300")
            .doCatch(Exception.class)
                .setBody(constant(NO_PRICES))
            .end()
            .process(join::hitsWithPrices)
            .removeHeaders("*")
            .setHeader(Exchange.CONTENT_TYPE, constant("application/json"));
    }
}
