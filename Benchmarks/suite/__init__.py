# SPDX-License-Identifier: BSD-2-Clause
"""The benchmark: fpcache beside the floor and its peers, by turns in one run. See __main__.py."""
