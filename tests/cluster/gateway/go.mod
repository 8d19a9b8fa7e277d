// The definitions of the Gateway API that tests put on their API server, as published.
module isthmus/tests/cluster/gateway

go 1.25.0

require sigs.k8s.io/gateway-api v1.4.0
