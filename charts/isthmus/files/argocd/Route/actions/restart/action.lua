-- An action can write its own object only, so the Route carries what makes its pods new ones. No
-- manifest has this annotation: a sync leaves it alone.
local os = require("os")

local template = obj.spec.podTemplate or {}
template.annotations = template.annotations or {}
template.annotations.restartedAt = os.date("!%Y-%m-%dT%H:%M:%SZ")
obj.spec.podTemplate = template
return obj
