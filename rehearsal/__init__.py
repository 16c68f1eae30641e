"""Everything that runs without a cloud: the stand-in, the engine's tool chain, preview and life cycle."""
