"""The live widgets of the dashboard: each is given values, paints them, and posts messages.

None of them sees the Api, the hub or a backend. All are `lines.LineView`s: what stands in each
row is a value, only visible rows are painted, and only those whose value changed are painted
again.

- `sandbox_list.SandboxList`: sandboxes in sections (`rows.Section` of `rows.Row`), with a cursor
  that stays on its sandbox.
- `pane.PaneView`: a terminal's screen.
- `textview.TextView`: many lines, scrolled, wrapped, searched, filtered; of it `log.LogView`,
  which grows and is followed, and `facts.FactsView`, nested facts as aligned text.
- `cells.NotebookView`: a notebook's cells and their outputs.
- `charts.StatsView`: measurements as area charts.

Values are made of plain text with the help of `spark`, `units` and `fit`; text of sandboxes goes
through `ansi` (with its colours) or `fit.harmless` (without), never through markup.
"""
