"""Looking at a database for seconds: headers of all files, pixels of a few, subjects held against one another."""
