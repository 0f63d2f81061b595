"""Measure microflask against Flask and the other WSGI frameworks: ``python -m benchmarks`` from a checkout.

The program that starts needs nothing but Python; the frameworks are installed into a virtual environment of their own.
"""
