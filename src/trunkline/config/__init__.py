"""Every option of the server: name, default, unit, range and a sentence, each exactly once.

``Config`` is the table. The values, ``--help``, the environment variables, the keys of the
configuration file and the manual page are all read from it, so they cannot differ.

A value given later in this list wins: default, configuration file (TOML), environment,
command line.
"""

from __future__ import annotations

from trunkline.config.loading import CENTRE_VARIABLE, load
from trunkline.config.manual import manual_page
from trunkline.config.table import Config, Option, options

__all__ = ["CENTRE_VARIABLE", "Config", "Option", "load", "manual_page", "options"]
