"""The licensing page (seed S3): whose licenses, the alias, each level and extension with yes or no, until when, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from tkinter import Event, Misc, StringVar, Text, Tk, ttk

from verifier import sentences
from verifier.errors import CarnetError
from verifier.window import actions, words
from verifier.window.dialog import PAD
from verifier.window.edit_alias import EditAlias
from verifier.window.pickers import Picker
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
        root.title(TITLE)
        if root.tk.call("tk", "windowingsystem") == "x11":
            # Elsewhere the theme is the system's own; that of X11 is of another time.
            ttk.Style(root).theme_use("clam")
        self.grid(sticky="nsew")
        root.columnconfigure(0, weight=1)
        root.rowconfigure(0, weight=1)
        self.columnconfigure(1, weight=1)
        self.rowconfigure(4, weight=1)
        self.authority = self._row(0, "Licensing authority")
        self.alias = self._row(1, "Workstation alias")
        self.edit = ttk.Button(self, text="Edit…", underline=0, command=self.edit_alias)
        self.edit.grid(row=1, column=2, sticky="e")
        self.product = StringVar(root)
        ttk.Label(self, text="Product").grid(row=2, column=0, sticky="w", pady=3)
        self.products = ttk.Combobox(self, textvariable=self.product, state="readonly")
        self.products.grid(row=2, column=1, columnspan=2, sticky="ew", padx=(PAD, 0), pady=3)
        self.products.bind("<<ComboboxSelected>>", lambda _: self.show_license())
        self.until = self._row(3, "Offline until")
        self.table = self._table()
        self.status = self._row(5, "Status list")
        self.notices = self._text(6, height=5)
        self._buttons().grid(row=7, column=0, columnspan=3, sticky="ew", pady=(PAD, 0))
        self._bind_keys()
        self.refresh()
        self.edit.focus_force()

    def _row(self, row: int, label: str) -> ttk.Label:
        ttk.Label(self, text=label).grid(row=row, column=0, sticky="nw", pady=3)
        value = ttk.Label(self, wraplength=430)
        value.grid(row=row, column=1, columnspan=2 if row != 1 else 1, sticky="w", padx=(PAD, 0), pady=3)
        return value

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
        self.buttons = {}
        for column, (label, letter, method) in enumerate(BUTTONS):
            button = ttk.Button(frame, text=label, underline=letter, command=getattr(self, method))
            button.grid(row=0, column=column, padx=(0, 6))
            self.buttons[method] = button
        return frame

    def _bind_keys(self) -> None:
        """Alt with the letter that is underlined, F5, Escape; Enter presses the button that has the keyboard."""
        for label, letter, method in (("Edit…", 0, "edit_alias"), *BUTTONS):
            self.root.bind(f"<Alt-{label[letter].lower()}>", self._caller(method))
        self.root.bind("<F5>", self._caller("refresh"))
        self.root.bind("<Escape>", self._caller("close"))
        self.root.bind_class("TButton", "<Return>", _press)

    def _caller(self, method: str) -> Callable[[Event[Misc]], None]:
        """What a key does: it presses the button, which does nothing while it is off."""
        button = self.edit if method == "edit_alias" else self.buttons[method]
        return lambda _: button.invoke()

    def refresh(self) -> None:
        """Reads everything anew."""
        shown = self.shown = actions.look(self.store)
        self.alias.configure(text=actions.alias_of(self.store) or "none; a name helps the administrator to find this computer")
        if isinstance(shown, CarnetError):
            self.authority.configure(text="none yet")
            self.products.configure(values=[])
            self.product.set("")
            self.tell([words.refusal(shown)])
        else:
            roots = "\n".join(f"root key {root}" for root in shown.roots)
            self.authority.configure(text=f"{MARK} {sentences.organization(shown)}\n{roots}")
            names = [item.product for item in shown.licenses]
            self.products.configure(values=names)
            if self.product.get() not in names:
                self.product.set(names[0] if names else "")
            lines = words.notices(shown)
            self.tell(
                lines or ["All is well." if names else "No license is taken offline here. To have one, choose Take offline."]
            )
        self.show_license()

    def license(self) -> LicenseInformation | Unreadable | None:
        """The license that is chosen; None where there is none."""
        if not isinstance(self.shown, Overview):
            return None
        return next((item for item in self.shown.licenses if item.product == self.product.get()), None)

    def show_license(self) -> None:
        """Fills the table with the license that is chosen."""
        item = self.license()
        self.table.delete(*self.table.get_children())
        self.buttons["give_back"].state(["!disabled" if item is not None else "disabled"])
        self.products.state(["!disabled" if item is not None else "disabled"])
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

    def tell(self, lines: list[str]) -> None:
        """Shows sentences in the text below."""
        self.notices.configure(state="normal")
        self.notices.delete("1.0", "end")
        self.notices.insert("1.0", "\n".join(lines))
        self.notices.configure(state="disabled")

    def told(self) -> str:
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
            before = self.told()
            self.tell([*([answer] if isinstance(answer, str) else answer), "", before])
            return ""
        self.refresh()
        self.tell([problem, "", self.told()])
        return problem

    def edit_alias(self) -> None:
        """Opens Edit Alias."""
        EditAlias(self, actions.alias_of(self.store), lambda text: self.attempt(lambda: actions.set_alias(self.store, text)))

    def take_offline(self) -> None:
        """Opens Take Offline."""
        TakeOffline(self, actions.choices(self.store), self.product.get(), self._save_request)

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
        """Asks where the receipt goes to; only then the license is given back."""
        product = self.product.get()
        name = self.picker.save_as(self, f"{product}.return")
        if name:
            self.attempt(lambda: actions.give_back(self.store, product, name))

    def close(self) -> None:
        """Closes the window."""
        self.root.destroy()
