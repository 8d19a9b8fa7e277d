local asked = actionParams["replicas"]
local replicas = tonumber(asked or "")

if replicas == nil or replicas < 0 or replicas % 1 ~= 0 then
  error("replicas: must be a whole number, 0 or more, not '" .. tostring(asked) .. "'", 0)
end

obj.spec.replicas = replicas
return obj
