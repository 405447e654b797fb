"""The facts of an incident report, one module a question: who belongs, what they share, when they worked, how much they took."""
