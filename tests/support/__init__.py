"""What tests share: simulated workstations and authorities made of the real parts, with time and ids as arguments."""
