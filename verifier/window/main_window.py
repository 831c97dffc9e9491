"""The licensing page (seed S3): whose licenses, the alias, each level and extension with yes or no, until when, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from tkinter import Event, Misc, Text, Tk, ttk

from verifier import sentences
from verifier.errors import CarnetError
from verifier.window import actions, line, words
from verifier.window.background import Background
from verifier.window.dialog import PAD
from verifier.window.edit_alias import EditAlias
from verifier.window.give_back import GiveBack
from verifier.window.pickers import Picker
from verifier.window.sign_in import SignIn
from verifier.window.take_offline import TakeOffline
from verifier.workstation.carry import Wish
from verifier.workstation.overview import LicenseInformation, Overview, Unreadable
from verifier.workstation.places import WrongPlace
from verifier.workstation.store import Store

TITLE = "Carnet licenses"
# Label, which of its letters Alt calls it by, and the method; in the order in which Tab comes to them.
BUTTONS = (
    ("Take offline…", 0, "take_offline"),
    ("Install a file…", 0, "install_files"),
    ("Install a folder…", 10, "install_folder"),
    ("Give back…", 0, "give_back"),
    ("Refresh", 0, "refresh"),
    ("Close", 0, "close"),
)
# A mark beside the authority whose licenses are good here, as seed S3 has a key.
MARK = "\u25c6"
# What is done to the workstation beside its buttons; the first is the label while nobody is signed in.
SIGN_IN, SIGN_OUT, EDIT = ("Sign in…", 0, "sign"), ("Sign out", 0, "sign"), ("Edit…", 0, "edit_alias")


def _go_to(widget: Misc | None) -> str:
    if widget is not None:
        widget.focus_set()
    return "break"


def _press(event: Event[Misc]) -> str:
    """Enter presses the button that has the keyboard, and does nothing else: on Cancel it is not OK."""
    if isinstance(event.widget, ttk.Button):
        event.widget.invoke()
    return "break"


class MainWindow(ttk.Frame):
    """Everything in the window. What a person does is told in the text below; nothing is told by color alone."""

    def __init__(self, root: Tk, store: Store, picker: Picker) -> None:
        super().__init__(root, padding=PAD)
        self.root, self.store, self.picker = root, store, picker
        self.shown: Overview | CarnetError | None = None
        self.background: Background[str] | None = None
        self.buttons: dict[str, ttk.Button] = {}
        root.title(TITLE)
        if root.tk.call("tk", "windowingsystem") == "x11":
            # Elsewhere the theme is the system's own; that of X11 is of another time.
            ttk.Style(root).theme_use("clam")
        self.grid(sticky="nsew")
        root.columnconfigure(0, weight=1)
        root.rowconfigure(0, weight=1)
        self.columnconfigure(1, weight=1)
        self.rowconfigure(4, weight=1)
        self.authority = self._row(0, "Licensing authority", SIGN_IN)
        self.alias = self._row(1, "Workstation alias", EDIT)
        ttk.Label(self, text="Product").grid(row=2, column=0, sticky="w", pady=3)
        self.products = ttk.Combobox(self, state="readonly")
        self.products.grid(row=2, column=1, columnspan=2, sticky="ew", padx=(PAD, 0), pady=3)
        self.products.bind("<<ComboboxSelected>>", lambda _: self.show_license())
        self.until = self._row(3, "Offline until")
        self.table = self._table()
        self.status = self._row(5, "Status list")
        self.notices = self._text(6, height=5)
        self.bar = ttk.Progressbar(self, mode="indeterminate")
        self.bar.grid(row=7, column=0, columnspan=3, sticky="ew", pady=(PAD // 2, 0))
        self.bar.grid_remove()
        self._buttons().grid(row=8, column=0, columnspan=3, sticky="ew", pady=(PAD, 0))
        self._bind_keys()
        self.refresh()
        self.buttons["edit_alias"].focus_force()

    def _row(self, row: int, label: str, action: tuple[str, int, str] | None = None) -> ttk.Label:
        ttk.Label(self, text=label).grid(row=row, column=0, sticky="nw", pady=3)
        value = ttk.Label(self, wraplength=430)
        value.grid(row=row, column=1, columnspan=1 if action else 2, sticky="w", padx=(PAD, 0), pady=3)
        if action:
            self._button(self, *action).grid(row=row, column=2, sticky="ne")
        return value

    def _button(self, frame: ttk.Frame, label: str, letter: int, method: str) -> ttk.Button:
        button = self.buttons[method] = ttk.Button(frame, text=label, underline=letter, command=getattr(self, method))
        return button

    def _table(self) -> ttk.Treeview:
        table = ttk.Treeview(self, columns=("licensed",), height=11, selectmode="browse")
        table.heading("#0", text="Levels and extensions", anchor="w")
        table.heading("licensed", text="Licensed", anchor="w")
        table.column("#0", width=380)
        table.column("licensed", width=100, stretch=False)
        table.grid(row=4, column=0, columnspan=3, sticky="nsew", pady=PAD // 2)
        return table

    def _text(self, row: int, height: int) -> Text:
        """Text that can be read, selected and scrolled with the keyboard, and not written; Tab leaves it."""
        text = Text(self, height=height, width=72, wrap="word", state="disabled", takefocus=True, font="TkDefaultFont")
        text.grid(row=row, column=0, columnspan=3, sticky="nsew", pady=(PAD // 2, 0))
        text.bind("<Tab>", lambda event: _go_to(event.widget.tk_focusNext()))
        text.bind("<Shift-Tab>", lambda event: _go_to(event.widget.tk_focusPrev()))
        return text

    def _buttons(self) -> ttk.Frame:
        frame = ttk.Frame(self)
        for column, button in enumerate(BUTTONS):
            self._button(frame, *button).grid(row=0, column=column, padx=(0, 6))
        return frame

    def _bind_keys(self) -> None:
        """Alt with the letter that is underlined, F5, Escape; Enter presses the button that has the keyboard."""
        for label, letter, method in (SIGN_IN, EDIT, *BUTTONS):
            self.root.bind(f"<Alt-{label[letter].lower()}>", self._caller(method))
        self.root.bind("<F5>", self._caller("refresh"))
        self.root.bind("<Escape>", self._caller("close"))
        self.root.bind_class("TButton", "<Return>", _press)

    def _caller(self, method: str) -> Callable[[Event[Misc]], None]:
        """What a key does: it presses the button, which does nothing while it is off."""
        return lambda _: self.buttons[method].invoke()

    def refresh(self) -> None:
        """Reads everything anew."""
        shown = self.shown = actions.look(self.store)
        self.line = line.line_of(shown)
        self.buttons["sign"].configure(text=(SIGN_IN if self.line.username is None else SIGN_OUT)[0])
        self.alias.configure(text=actions.alias_of(self.store) or "none; a name helps the administrator to find this computer")
        if isinstance(shown, CarnetError):
            self.authority.configure(text="none yet")
            self.products.configure(values=[])
            self.products.set("")
            self.tell([words.refusal(shown)])
        else:
            roots = "\n".join(f"root key {root}" for root in shown.roots)
            self.authority.configure(text=f"{MARK} {sentences.organization(shown)}\n{roots}\n{self.line.words}".strip())
            names = [item.product for item in shown.licenses]
            self.products.configure(values=names)
            if self.products.get() not in names:
                self.products.set(names[0] if names else "")
            lines = words.notices(shown) + words.clock_reset(shown, actions.reset_code(self.store))
            self.tell(
                lines or ["All is well." if names else "No license is taken offline here. To have one, choose Take offline."]
            )
        self.show_license()

    def license(self) -> LicenseInformation | Unreadable | None:
        """The license that is chosen; None where there is none."""
        if not isinstance(self.shown, Overview):
            return None
        return next((item for item in self.shown.licenses if item.product == self.products.get()), None)

    def show_license(self) -> None:
        """Fills the table with the license that is chosen."""
        item = self.license()
        self.table.delete(*self.table.get_children())
        self.products.state(["!disabled" if item is not None else "disabled"])
        self._switch_buttons()
        if not isinstance(item, LicenseInformation):
            self.until.configure(text="")
            self.status.configure(text="")
            return
        self.until.configure(text=f"{words.until(item)}, borrowed by {item.member}")
        self.status.configure(text=sentences.status_list(item.status_list))
        for label, values in ((f"{item.name} levels", item.levels), ("Extensions", item.extensions)):
            parent = self.table.insert("", "end", text=label, open=True)
            for name, is_licensed in values.items():
                self.table.insert(parent, "end", text=name, values=("Yes" if is_licensed and item.error is None else "No",))
        first = self.table.get_children()[0]
        self.table.focus(first)
        self.table.selection_set(first)

    def _switch_buttons(self) -> None:
        """Which buttons can be pressed: while the authority is asked none but Close."""
        can = {"sign": self.line.url is not None, "give_back": self.license() is not None}
        for method, button in self.buttons.items():
            is_on = method == "close" or (self.background is None and can.get(method, True))
            button.state(["!disabled" if is_on else "disabled"])

    def tell(self, lines: list[str]) -> None:
        """Shows sentences in the text below."""
        self.notices.configure(state="normal")
        self.notices.delete("1.0", "end")
        self.notices.insert("1.0", "\n".join(lines))
        self.notices.configure(state="disabled")

    def text(self) -> str:
        """The text below."""
        return self.notices.get("1.0", "end").strip()

    def attempt(self, action: Callable[[], str | list[str]]) -> str:
        """Does something, shows how everything is then and what came of it; returns what went wrong, empty when nothing did."""
        try:
            answer = action()
        except WrongPlace as error:
            problem = f"{str(error)[:1].upper()}{str(error)[1:]}."
        except CarnetError as error:
            problem = words.refusal(error)
        else:
            self.refresh()
            before = self.text()
            self.tell([*([answer] if isinstance(answer, str) else answer), "", before])
            return ""
        self.refresh()
        self.tell([problem, "", self.text()])
        return problem

    def ask(self, action: Callable[[], str], done: Callable[[str], None]) -> None:
        """Does something that waits for the authority, and shows it as `attempt` does; the window goes on meanwhile.

        `done` is told what went wrong, empty when nothing did.
        """

        def answered(answer: Future[str]) -> None:
            self.background = None
            self.bar.stop()
            self.bar.grid_remove()
            problem = words.MISTAKE
            try:
                problem = self.attempt(answer.result)
            finally:
                done(problem)

        self.background = Background(self, action, answered)
        self.tell([f"Asking {self.line.url} …"])
        self.bar.grid()
        self.bar.start()
        self._switch_buttons()

    def sign(self) -> None:
        """Opens Sign In; or signs out, which needs no question."""
        if self.line.username is not None:
            self.ask(lambda: line.sign_out(self.store), lambda _: None)
        elif self.line.url is not None:
            SignIn(
                self,
                self.line.url,
                lambda username, password, done: self.ask(lambda: line.sign_in(self.store, username, password), done),
            )

    def edit_alias(self) -> None:
        """Opens Edit Alias."""
        EditAlias(self, actions.alias_of(self.store), lambda text: self.attempt(lambda: actions.set_alias(self.store, text)))

    def take_offline(self) -> None:
        """Opens Take Offline."""
        TakeOffline(
            self,
            actions.choices(self.store),
            self.products.get(),
            self.line,
            lambda wish, done: self.ask(lambda: line.borrow(self.store, wish), done),
            self._save_request,
        )

    def _save_request(self, wish: Wish) -> str:
        name = self.picker.save_as(self, f"{wish.product or 'license'}.request")
        return (
            self.attempt(lambda: actions.save_request(self.store, wish, name)) if name else "Choose where to save the request."
        )

    def install_files(self) -> None:
        """Asks for files and installs them."""
        names = self.picker.files(self)
        if names:
            self.attempt(lambda: actions.take_in(self.store, names))

    def install_folder(self) -> None:
        """Asks for a folder, such as a stick, and installs what is in it."""
        name = self.picker.folder(self)
        if name:
            self.attempt(lambda: actions.take_in(self.store, [name]))

    def give_back(self) -> None:
        """Asks in which way where there are two; only then the license is given back."""
        product = self.products.get()
        if not self.line.is_open:
            self._save_receipt(product)
            return
        GiveBack(
            self,
            product,
            self.line,
            lambda done: self.ask(lambda: line.check_in(self.store, product), done),
            lambda: self._save_receipt(product),
        )

    def _save_receipt(self, product: str) -> str:
        name = self.picker.save_as(self, f"{product}.return")
        return (
            self.attempt(lambda: actions.give_back(self.store, product, name)) if name else "Choose where to save the receipt."
        )

    def close(self) -> None:
        """Closes the window."""
        self.root.destroy()

    def destroy(self) -> None:
        """Nobody is told any more what the authority answers."""
        if self.background is not None:
            self.background.forget()
        super().destroy()
