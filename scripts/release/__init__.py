"""Makes what a release consists of: `make release`, `make release-check`.

`edition` says which version of which commit it is; `sources`, `charts` and `images` make files of
the repository; `inventory` reads what is in an image, `licences` judges it, `lock` holds it against
images/debian.lock, and `bills` writes it as CycloneDX. `assembly` puts all of it into one folder,
and `check` makes that twice.
"""
