"use strict";
(() => {
  const form = document.getElementById("filters");
  const table = document.querySelector("table.overview");
  if (!form || !table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const entries = rows.map((row) => {
    const card = document.getElementById(row.dataset.claim);
    return { row, card, heads: row.dataset.heads.split(" "), text: `${row.textContent} ${card.textContent}`.toLowerCase() };
  });
  const [verdict, head, model, compared, text] = ["verdict", "head", "model", "compared", "text"].map((name) => document.getElementById(`filter-${name}`));
  const count = document.getElementById("filter-count");

  const filter = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { row, card, heads, text: content } of entries) {
      const fits = (!verdict.value || row.dataset.verdict === verdict.value)
        && (!head.value || heads.includes(head.value))
        && (!model.value || row.dataset.model === model.value)
        && (!compared || !compared.value || (row.dataset.compared || "").split(" ").includes(compared.value))
        && words.every((word) => content.includes(word));
      row.hidden = card.hidden = !fits;
      shown += fits;
    }
    count.textContent = `${shown} of ${entries.length} claims shown`;
    table.classList.toggle("empty", !shown);
  };

  const number = (cell) => Number(cell.dataset.sort);
  const sort = (heading) => {
    const descending = heading.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const place = heading.cellIndex;
    const sorted = [...entries].sort(({ row: one }, { row: other }) => {
      const [left, right] = [one.cells[place], other.cells[place]];
      const order = "sort" in left.dataset
        ? number(left) - number(right)
        : left.textContent.trim().localeCompare(right.textContent.trim(), "en", { numeric: true });
      return (descending ? -order : order) || rows.indexOf(one) - rows.indexOf(other);
    });
    body.append(...sorted.map((entry) => entry.row));
  };

  for (const heading of table.tHead.rows[0].cells) {
    if (!("sortable" in heading.dataset)) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(heading));
  }
  // Show the target of a link even where a filter hides it.
  const reveal = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    const card = target && target.closest("article.claim");
    if (card && card.hidden) {
      form.reset();
      filter();
      card.scrollIntoView();
    }
  };

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("filter-clear").addEventListener("click", () => {
    form.reset();
    filter();
    text.focus();
  });
  window.addEventListener("hashchange", reveal);
  // A link to the current address fires no hashchange event.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link && link.hash && link.hash === location.hash) reveal();
  });
  form.hidden = false;
  filter();
})();
