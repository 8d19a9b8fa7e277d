"""isthmus init: a repository of integrations, made of the files in `templates`."""
