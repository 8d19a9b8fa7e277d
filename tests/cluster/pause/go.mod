// The process that holds a pod's namespaces.
module isthmus/tests/cluster/pause

go 1.25.0
