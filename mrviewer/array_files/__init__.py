"""Bytes and arrays in files of other programs, looked at before they are believed or take memory."""
