"""The methods that there are: those of installed packages, the user's own models, chains of two, and weights."""
