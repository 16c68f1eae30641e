"""What surrounds `pulumi up`: a stack file for a new environment, checks before and after, taking one down."""
