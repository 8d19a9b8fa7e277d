package bench;

import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;

/** PASS: the hook's body to the API, the API's answer back. */
final class PassRoute extends RouteBuilder {
    @Override
    public void configure() {
        from("platform-http:/hook?httpMethodRestrict=POST")
            .removeHeaders("*")
            .setHeader(Exchange.CONTENT_TYPE, constant("application/json"))
            .to("vertx-http:http://127.0.0.1:18081/echo?httpMethod=POST&timeout=2000")
            .removeHeaders("*")
            .setHeader(Exchange.CONTENT_TYPE, constant("application/json"));
    }
}
