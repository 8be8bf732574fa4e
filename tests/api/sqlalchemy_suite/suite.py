"""Every test of the suite that the package holds."""

from sqlalchemy.testing import suite

globals().update({name: value for name, value in vars(suite).items() if not name.startswith("_")})
