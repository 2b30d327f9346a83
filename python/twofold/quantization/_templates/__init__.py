"""Templates: what QconfigSetter is made of, each about some dtypes of some layers."""
