"""Small widgets and threads that every section and window is built from."""
