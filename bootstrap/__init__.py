"""What has to be there before the delivery system is: where its state lies, and who plans and applies it.

A Pulumi project of its own (`bootstrap/Pulumi.yaml`), run by a person. The first run makes the state's storage and the
key that seals secrets in it; each further one lets pipelines plan and apply the environments that are up by then.
"""
