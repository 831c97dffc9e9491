"""`make fuzz`: every parser of the verifier is given changed input for minutes, led by the coverage of its code where atheris can be had."""
