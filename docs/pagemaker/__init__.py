"""The pages of the documentation that are made from the code, so that they cannot lag behind it.

`docs/conf.py` calls `write_pages` before Sphinx reads anything; what it writes is not committed.
"""

from pagemaker.pages import write_pages

__all__ = ["write_pages"]
