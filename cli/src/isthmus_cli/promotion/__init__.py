"""isthmus promote: a tested set of objects, copied from one Kustomize overlay to another.

`proposal` puts it together. `kustomize` builds; `overlays` reads and edits a kustomization.yaml;
`sets` has the objects that are copied; `environment` finds what an overlay says of them; `needs`
has what they name and `supply` what the target has; `findings` says what speaks against it,
`places` where; `changes` writes, or makes a patch.
"""
