"""The Azure DevOps half of the stacks, read from their exports: who may do what, which gates stand where, what starts
a pipeline and what it may use, what guards a branch.

Text report and drawing share it, so that both tell the same. It knows ids, names and words; no layout. What it does
not do: it judges nothing but what is wide open, and it tells nothing that stands in no export (what pipelines do once
they run, and branches on GitHub).
"""
