"""A simulated month of attempts, permitted by the rules of the server and recomputed by the auditor."""
