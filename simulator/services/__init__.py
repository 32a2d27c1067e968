"""The AWS services that are ours, one module each, and moto wrapped for the rest."""
