"""The only holder of private keys, and the only place that knows the verifier: nothing leaves that the verifier would not take."""
