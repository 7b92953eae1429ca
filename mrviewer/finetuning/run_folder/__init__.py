"""What lies in the folder of a run, one module a file: plan, start, state, events, requests and summary."""
