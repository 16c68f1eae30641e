"""The faces of the stand-in cloud: mocks for unit tests, resource providers for the real engine.

Both only translate. What Azure would say is decided in `rehearsal.cloud`, so the faces cannot disagree.
"""
