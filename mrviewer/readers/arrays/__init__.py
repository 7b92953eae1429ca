"""Files that hold arrays and no scan: NumPy, MATLAB and BART, whose axes are guessed or named."""
