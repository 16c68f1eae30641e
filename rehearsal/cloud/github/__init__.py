"""GitHub: the organisation in which repositories, environments and branch rules live, where delivery is on GitHub.

Its kinds are described as those of Azure DevOps are, and served by the same service: ids, links and refusals work
alike (`rehearsal.cloud.delivering`). `environments` and `repositories` say what a type accepts, answers and refuses;
`subjects` what GitHub would write into the token of a run.
"""
