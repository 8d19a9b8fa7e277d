"""For all tests: hypothesis looks at values, never at clocks."""

from hypothesis import settings

settings.register_profile("isthmus", deadline=None)
settings.load_profile("isthmus")
