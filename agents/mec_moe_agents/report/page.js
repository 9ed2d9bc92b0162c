"use strict";

/* The value of a row in a column: a number, words, or null where there is none. */
function valueOf(row, column, numeric) {
  const cell = row.cells[column];
  if (!numeric) return cell.textContent.trim().toLowerCase() || null;
  return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
}

/* Sort by a column; the first click shows the largest number, or the first word, on top. */
function sortBy(table, heads, column) {
  const numeric = heads[column].classList.contains("number");
  const before = heads[column].getAttribute("aria-sort");
  const descending = before === "none" ? numeric : before === "ascending";
  const rows = [...table.tBodies[0].rows].map((row) => [valueOf(row, column, numeric), row]);
  rows.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null); // last, either way
    const order = numeric ? a - b : a.localeCompare(b);
    return descending ? -order : order;
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
  for (const head of heads) head.setAttribute("aria-sort", "none");
  heads[column].setAttribute("aria-sort", descending ? "descending" : "ascending");
}

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => sortBy(table, heads, column));
  });
}
