"""What runs in a Route's pods: an HTTP server, compiled steps, connectors.

It reads RoutePlans and knows nothing of the operator.
"""
