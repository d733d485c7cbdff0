"""Imported by the server of playbook runs: have Ansible read its own long files once for all."""

from __future__ import annotations

import functools
from pathlib import Path

import ansible.config
from ansible.utils.collection_loader import _collection_finder

# Ansible's documentation of this function: other implementations may keep what it returns.
_read = functools.cache(_collection_finder._meta_yml_to_dict)
_collection_finder._meta_yml_to_dict = _read
_file = Path(ansible.config.__file__).with_name("ansible_builtin_runtime.yml")
_read(_file.read_bytes(), ("ansible.builtin", "runtime.yml"))
