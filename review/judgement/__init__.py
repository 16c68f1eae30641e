"""What a change means: what is lost, what gets weaker, what it costs, and whether somebody has to say so.

Rules are data by kind of resource, and functions without side effects where data do not do. A kind that no table
knows is judged carefully: to delete or replace it has to be acknowledged.
"""

from review.judgement.findings import Finding
from review.judgement.verdict import Judgement, judge

__all__ = ["Finding", "Judgement", "judge"]
