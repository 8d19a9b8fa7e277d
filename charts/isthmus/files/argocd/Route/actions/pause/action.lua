-- Its pods end and `replicas` is kept.
obj.spec.paused = true
return obj
