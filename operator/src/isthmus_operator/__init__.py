"""The operator: makes the cluster what Connectors, Mappings and Routes declare."""
