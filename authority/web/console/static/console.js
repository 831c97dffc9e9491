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

document.addEventListener("DOMContentLoaded", () => showLocalTimes(document));
document.addEventListener("htmx:after:swap", () => showLocalTimes(document));
