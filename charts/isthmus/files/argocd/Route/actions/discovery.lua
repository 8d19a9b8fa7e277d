-- What can be done with a Route as it is.
local paused = obj.spec.paused == true

return {
  pause = { disabled = paused },
  restart = { disabled = paused },
  resume = { disabled = not paused },
  -- With `autoscaling` the API server takes no count.
  scale = { disabled = obj.spec.autoscaling ~= nil, params = { { name = "replicas" } } },
}
