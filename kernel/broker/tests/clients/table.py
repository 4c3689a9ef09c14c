"""The table of results in the broker's README, between two marks."""

BEGIN = "<!-- capabilities: written by tests/clients/run.py --all --table -->"
END = "<!-- end of capabilities -->"


def write(readme, results):
    """Replaces what stands between the marks by one row a check, one column a cluster."""
    text = readme.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{lines(results)}{END}{after}")


def lines(results):
    clusters = list(results)
    checks = list(results[clusters[0]])
    rows = [["check", *clusters], ["---", *["---"] * len(clusters)]]
    for check in checks:
        cells = [mark(results[cluster].get(check)) for cluster in clusters]
        rows.append([f"`{check}`", *cells])
    totals = [
        f"{sum(verdict == 'PASS' for verdict, _, _ in results[c].values())} of {len(results[c])}"
        for c in clusters
    ]
    rows.append(["**passed**", *totals])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def mark(result):
    if result is None:
        return "–"
    verdict, _, seconds = result
    return f"{seconds} s" if verdict == "PASS" else "**fails**"
