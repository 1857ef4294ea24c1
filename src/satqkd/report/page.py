"""Frame of the HTML pages: style, table of contents, sortable tables. Nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from satqkd.report.values import escape

__all__ = ["Section", "figure", "page", "tiles"]


@dataclass(frozen=True)
class Section:
    """One section of a page.

    Parameters
    ----------
    anchor : str
        Identifier for links.
    title : str
        Heading, plain text.
    body : str
        HTML.
    """

    anchor: str
    title: str
    body: str


STYLE = """
:root{--ink:#1b2733;--muted:#586776;--line:#dfe5ea;--paper:#fff;--card:#f6f8fa;--accent:#0b5fa5;--warn:#8a4b00;
--warnbg:#fff6e6;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--ink:#e6ebf0;--muted:#9fadba;--line:#35414d;--paper:#12181e;--card:#1b232b;
--accent:#7ab8ea;--warn:#f0c35e;--warnbg:#2a2416}}
*{box-sizing:border-box}
html{scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"DejaVu Sans",sans-serif}
main{max-width:1060px;margin:0 auto;padding:2rem 1.25rem 4rem}
header p.kind{margin:0;color:var(--accent);font-weight:600;letter-spacing:.02em}
h1{font-size:1.9rem;line-height:1.2;margin:.2rem 0 .4rem}
h2{font-size:1.3rem;margin:2.6rem 0 .6rem;padding-top:.4rem;border-top:2px solid var(--line)}
h3{font-size:1.02rem;margin:1.4rem 0 .3rem}
p,li{max-width:75ch}
a{color:var(--accent)}
.lead,.small{color:var(--muted)}
.small{font-size:.87rem}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;list-style:none;padding:.6rem 0 0;margin:0;font-size:.92rem}
nav a{text-decoration:none}
nav a:hover{text-decoration:underline}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:.8rem;margin:1.4rem 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem 1rem}
.tile b{display:block;font-size:1.5rem;line-height:1.25;font-variant-numeric:tabular-nums}
.tile span{display:block;color:var(--muted);font-size:.87rem}
figure{margin:1rem 0;padding:.7rem;background:#fff;border:1px solid var(--line);border-radius:8px;overflow-x:auto}
figure svg,figure img{display:block;margin:0 auto;width:100%!important;max-width:960px;height:auto}
figcaption{color:#586776;font-size:.87rem;margin:.5rem .3rem 0}
.scroll{overflow-x:auto;margin:.8rem 0}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums;min-width:40%}
caption{text-align:left;color:var(--muted);padding-bottom:.3rem}
th,td{padding:.28rem .7rem .28rem 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
th{border-bottom:2px solid var(--line);font-weight:600;vertical-align:bottom}
th.n,td.n{text-align:right}
td.n,time{white-space:nowrap}
td.n+td:not(.n){padding-left:.6rem}
tbody tr:hover{background:var(--card)}
tr.sum td{font-weight:600;border-top:2px solid var(--line)}
table.sortable th button{all:unset;cursor:pointer;font-weight:600}
table.sortable th button:focus-visible{outline:2px solid var(--accent)}
table.sortable th[aria-sort=ascending] button::after{content:" \\2191"}
table.sortable th[aria-sort=descending] button::after{content:" \\2193"}
td.no{color:var(--muted)}
sup{line-height:0;font-size:.75em}
details{margin:.8rem 0}
summary{cursor:pointer;color:var(--accent);font-weight:600}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem;overflow:auto;font-size:.8rem;
line-height:1.45;max-height:32rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.2rem;font-size:.92rem}
dt{color:var(--muted)}
dd{margin:0;overflow-wrap:anywhere}
.warning{background:var(--warnbg);border-left:4px solid var(--warn);padding:.6rem .9rem;border-radius:0 6px 6px 0;
margin:.6rem 0}
.warning p{margin:.2rem 0}
@media (max-width:600px){main{padding:1rem .8rem}h1{font-size:1.5rem}figure svg,figure img{min-width:640px}}
@media print{:root{--ink:#000;--muted:#444;--line:#bbb;--paper:#fff;--card:#fff;--accent:#000}body{font-size:10pt}
main{max-width:none;padding:0}nav{display:none}figure,.tile,tr{break-inside:avoid}h2,h3{break-after:avoid}
.scroll,pre{overflow:visible;max-height:none}}
"""

SORT = """
document.querySelectorAll("table.sortable").forEach(function(table){
  var body=table.tBodies[0];
  table.querySelectorAll("thead th").forEach(function(th,column){
    var button=document.createElement("button");
    button.append(...th.childNodes);th.append(button);
    button.addEventListener("click",function(){
      var down=th.getAttribute("aria-sort")!=="descending";
      table.querySelectorAll("th").forEach(function(x){x.removeAttribute("aria-sort")});
      th.setAttribute("aria-sort",down?"descending":"ascending");
      var key=function(row){var cell=row.cells[column],mark=cell.querySelector("data");
        return mark?Number(mark.value):cell.textContent};
      Array.from(body.rows).sort(function(a,b){var x=key(a),y=key(b);
        var order=typeof x==="number"&&typeof y==="number"?x-y:String(x).localeCompare(String(y));
        return down?-order:order}).forEach(function(row){body.append(row)});
    });
  });
});
"""


def figure(picture: str, caption: str) -> str:
    """A picture, already HTML, with a caption in plain text."""
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def tiles(entries: Sequence[tuple[str, str]]) -> str:
    """Row of large numbers, each with what it counts; plain text."""
    cells = "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(label)}</span></div>' for value, label in entries
    )
    return f'<div class="tiles">{cells}</div>'


def page(*, title: str, kind: str, heading: str, lead: str, top: str, sections: Sequence[Section]) -> str:
    """Whole HTML page; ``title``, ``kind`` and ``heading`` are plain text, the rest is HTML."""
    links = "".join(f'<li><a href="#{s.anchor}">{escape(s.title)}</a></li>' for s in sections)
    parts = "\n".join(
        f'<section aria-labelledby="{s.anchor}"><h2 id="{s.anchor}">{escape(s.title)}</h2>\n{s.body}\n</section>'
        for s in sections
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="satqkd">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<header>
<p class="kind">{escape(kind)}</p>
<h1>{escape(heading)}</h1>
{lead}
<nav aria-label="Contents"><ul>{links}</ul></nav>
</header>
{top}
{parts}
</main>
<script>{SORT}</script>
</body>
</html>
"""
