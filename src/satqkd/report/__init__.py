"""Reports of finished runs: HTML files that stand on their own, console tables, comparisons."""

from satqkd.report.compare import compare, compare_table
from satqkd.report.html import render
from satqkd.report.summary import html_summary, summary

__all__ = ["compare", "compare_table", "html_summary", "render", "summary"]
