"""The drawings of an incident report that no chart grammar has: annotated timelines, matrices, small multiples, life lines. Each gives markup that has passed the one gate."""
