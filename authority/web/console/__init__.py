"""Pages for people, as thin as routes: parse, call one service, render what is shown. No rule of its own, in code or template."""
