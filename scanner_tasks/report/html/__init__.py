"""The report as one HTML file: what it shows (data.py), how it is put together (page.py), page.css and page.js."""
