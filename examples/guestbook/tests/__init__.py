"""Tests of the guestbook; a package, so that pytest finds the folder above it, where the guestbook lies."""
