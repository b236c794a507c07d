"""Vigie beside other servers, by `make bench-peers`: the same pictures, the same model file, one core each."""
