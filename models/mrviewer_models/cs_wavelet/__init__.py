"""Compressed sensing with an l1 penalty on wavelet coefficients: the classical baseline, nothing trained."""

from mrviewer_models.cs_wavelet.method import METHOD, CsWavelet
from mrviewer_models.cs_wavelet.options import Options

__all__ = ["METHOD", "CsWavelet", "Options"]
