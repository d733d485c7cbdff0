# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schemas of courses, consumers and registrations: each key is declared only here.

Preflight, module ``lti_consumers``, role ``course`` and the hub validate entries by these tables;
``argument_specs.yml`` and the tables in ``docs/`` are generated from them (``make docs``).

This package is shared: Ansible uses it as ``module_utils`` and the server package ``atelier``
includes it as ``atelier.config.schema``. Standard library only, relative imports only.
"""
