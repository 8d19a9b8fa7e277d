-- Health of Connectors, Mappings and Routes: their conditions, read as kstatus reads them.
local status = obj.status or {}
if status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "The operator has not seen this generation yet." }
end

local found = {}
for _, condition in ipairs(status.conditions or {}) do
  found[condition.type] = condition
end

local function holds(name)
  return found[name] ~= nil and found[name].status == "True"
end

if holds("Stalled") then
  return { status = "Degraded", message = found.Stalled.message }
end
-- kstatus waits for a Route that is paused. A sync wave would, too, if this were Suspended.
if holds("Paused") then
  return { status = "Healthy", message = found.Paused.message }
end
if holds("Ready") and not holds("Reconciling") then
  return { status = "Healthy", message = found.Ready.message }
end
return { status = "Progressing", message = (found.Ready or {}).message or "" }
