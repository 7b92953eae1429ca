"""From a study to the result of a method: measure on a mask, run slice by slice, estimate memory, find the brain."""
