"""The analyst's room: reads exported checkout logs; imports neither the authority nor the verifier."""
