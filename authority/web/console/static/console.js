// Makes pages nicer; each works without it.
"use strict";

// Times of the page in the zone of the reader; UTC stays in the tooltip.
function showLocalTimes(root) {
  const two = (number) => String(number).padStart(2, "0");
  for (const element of root.querySelectorAll("time[datetime]")) {
    const at = new Date(element.dateTime);
    if (!Number.isNaN(at.valueOf())) {
      const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
      element.textContent = `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
    }
  }
}

// What is due today ends at the reader's midnight, which the server reckons.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `carnet-zone=${zone}; Path=/console/; SameSite=Lax; Max-Age=31536000${secure}`;
}

// A button that copies what stands in the field that it names.
function offerCopies(root) {
  for (const button of root.querySelectorAll("button[data-copies]")) {
    const field = document.getElementById(button.dataset.copies);
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      field.select();
      await navigator.clipboard.writeText(field.value);
      button.textContent = "Copied";
    });
  }
}

// The head of the column that each cell of a table stands in, for where its rows become blocks.
function nameCells(table) {
  const heads = [...table.tHead.rows[0].cells].map((head) => head.innerText.replace(/[▲▼]/g, "").trim());
  for (const body of table.tBodies) {
    const taken = [];
    for (const row of body.rows) {
      let column = 0;
      for (const cell of row.cells) {
        while (taken[column] > 0) {
          taken[column++] -= 1;
        }
        const isChoice = column === 0 && cell.querySelector("input[type=checkbox]");
        if (cell.colSpan === 1 && !isChoice && (cell.innerText.trim() || cell.querySelector("input"))) {
          cell.dataset.head = heads[column] ?? "";
        }
        for (const end = column + cell.colSpan; column < end; column += 1) {
          taken[column] = cell.rowSpan - 1;
        }
      }
    }
  }
}

// A table that does not fit is made tighter, and then shows each row as a block, so that no column is out of sight.
function fitTables(root) {
  for (const region of root.querySelectorAll(".table-responsive")) {
    const table = region.querySelector("table");
    const isTooWide = () => region.scrollWidth > region.clientWidth;
    table.classList.remove("tight", "blocks");
    table.classList.toggle("tight", isTooWide());
    if (isTooWide() && table.tHead) {
      table.classList.remove("tight");
      nameCells(table);
      table.classList.add("blocks");
    }
  }
}

document.addEventListener("DOMContentLoaded", () => showLocalTimes(document));
document.addEventListener("DOMContentLoaded", () => fitTables(document));
window.addEventListener("resize", () => fitTables(document));
document.addEventListener("DOMContentLoaded", () => offerCopies(document));
document.addEventListener("htmx:after:swap", () => showLocalTimes(document));
document.addEventListener("htmx:after:swap", () => fitTables(document));

// A box in the head of a table ticks all boxes of its form with the name; without script it is not there.
function showTicksOfAll(root) {
  for (const box of root.querySelectorAll("input[data-ticks]")) {
    box.hidden = false;
  }
}

document.addEventListener("DOMContentLoaded", () => showTicksOfAll(document));
document.addEventListener("htmx:after:swap", () => showTicksOfAll(document));
document.addEventListener("change", (event) => {
  const box = event.target;
  if (box instanceof HTMLInputElement && box.dataset.ticks) {
    for (const other of box.form.querySelectorAll(`input[name="${box.dataset.ticks}"]`)) {
      other.checked = box.checked;
    }
  }
});

// A list that is replaced while somebody ticks keeps the ticks of what is still in it.
const BOXES = "form[method=post] input[type=checkbox][name]";
const nameOf = (box) => `${box.name}\n${box.value}`;
let ticked = new Set();
document.addEventListener("htmx:before:swap", () => {
  ticked = new Set([...document.querySelectorAll(`${BOXES}:checked`)].map(nameOf));
});
document.addEventListener("htmx:after:swap", () => {
  for (const box of document.querySelectorAll(BOXES)) {
    box.checked ||= ticked.has(nameOf(box));
  }
});

// What takes long says so from the moment its form is sent.
document.addEventListener("submit", (event) => {
  const busy = document.getElementById(event.target.dataset.busy ?? "");
  if (busy) {
    busy.hidden = false;
    // How far the server is nobody tells the browser; how long it has been is true.
    const began = Date.now();
    const passed = busy.querySelector("[data-seconds]");
    if (passed) {
      setInterval(() => { passed.textContent = `${Math.round((Date.now() - began) / 1000)} s`; }, 1000);
    }
  }
});
