"""Steps: each verb of a Route as one small async function, compiled once when a plan is loaded."""
