-- Its pods come back, as many as `replicas` says.
obj.spec.paused = false
return obj
