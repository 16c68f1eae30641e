"""One module or package per capability of an environment; `naming` and `access` are the helpers they share."""
