"""The user's cluster: its API server, asked with the user's kubeconfig and rights.

`api` asks, and is the one module that knows the kubernetes package; `errors` are what it says when
it gets no answer, in words that people can act on; `kinds` are the paths of what is asked for,
`options` the arguments that say which cluster, namespace and Route.
"""
