package bench;

import org.apache.camel.main.Main;

/** Starts Camel with one of the three routes: {@code Bench compose|map|pass}. */
public final class Bench {
    private Bench() {
    }

    public static void main(String[] args) throws Exception {
        Main camel = new Main();
        camel.addProperty("camel.server.enabled", "true");
        camel.addProperty("camel.server.host", "127.0.0.1");
        camel.addProperty("camel.server.port", System.getProperty("bench.port"));
        camel.addProperty("camel.main.shutdownTimeout", "2");
        // No route reads a body twice; a tenth faster.
        camel.addProperty("camel.main.streamCachingEnabled", "false");
        camel.configure().addRoutesBuilder(
            switch (args[0]) {
                case "compose" -> new ComposeRoute();
                case "map" -> new MapRoute();
                case "pass" -> new PassRoute();
                default -> throw new IllegalArgumentException(args[0]);
            });
        camel.run();
    }
}
