"""The life of an environment on the stand-in, act by act: what is done to it, and what must hold after that.

An act works on a `Stage` and says there what it checked. It asks the real engine, and looks at the cloud; what the
program should have done it takes from the settings, so that it fits whatever the stack files say.
"""
