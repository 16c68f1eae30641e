"""What a change does to the infrastructure, for whoever has to approve it.

    source → `model.Changes` → `judgement.judge` → text, Markdown or a page

The engine makes the diff; this makes it readable: what would be lost comes first, then security that gets weaker,
what it costs, and the rest by component. Everything between a source and a rendered text is a pure function.

What it does not do: it changes nothing and asks no cloud. The program never imports it.
"""
