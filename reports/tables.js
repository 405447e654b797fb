"use strict";
/* Sorts and filters the tables of a working page. The page is complete without it: nothing is fetched, stored or hidden before somebody asks. */
(function () {
  function text(unit, place) {
    var row = unit.rows ? unit.rows[0] : unit, cell = row.cells[place], first = cell && cell.firstChild;
    return first ? first.textContent.trim() : "";
  }
  function number(said) {
    var found = /(-?\d+(?:\.\d+)?(?:e-?\d+)?)([kMG]?)/.exec(said.replace(/[,\s\u00a0\u202f]/g, "").replace(/\u2212/g, "-"));
    return found ? found[1] * { "": 1, k: 1e3, M: 1e6, G: 1e9 }[found[2]] : null;
  }
  function sorter(table, units, head, place) {
    var button = document.createElement("button"), isNumber = head.classList.contains("num");
    button.type = "button";
    while (head.firstChild) button.appendChild(head.firstChild);
    head.appendChild(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", function () {
      var steps = isNumber ? ["descending", "ascending", "none"] : ["ascending", "descending", "none"];
      var next = steps[(steps.indexOf(head.getAttribute("aria-sort")) + 1) % 3], sign = next === "ascending" ? 1 : -1;
      var keyed = units.map(function (unit, at) {
        var said = text(unit, place);
        return { unit: unit, at: at, key: isNumber ? number(said) : said || null };
      });
      if (next !== "none") keyed.sort(function (a, b) {
        if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.at - b.at;
        return sign * (isNumber ? a.key - b.key : a.key.localeCompare(b.key, "en", { numeric: true })) || a.at - b.at;
      });
      [].forEach.call(head.parentNode.cells, function (other) { other.setAttribute("aria-sort", "none"); });
      head.setAttribute("aria-sort", next);
      keyed.forEach(function (one) { one.unit.parentNode.appendChild(one.unit); });
    });
  }
  function filter(table, units, box) {
    var line = document.createElement("p"), label = document.createElement("label"), field = document.createElement("input"), told = document.createElement("output");
    var name = table.caption.querySelector(".number");
    line.className = "filter";
    field.type = "search";
    label.append("Show only rows " + (name ? "of " + name.textContent.replace(/\.$/, "") + " " : "") + "with ", field);
    line.append(label, " ", told);
    box.parentNode.insertBefore(line, box);
    field.addEventListener("input", function () {
      var wanted = field.value.trim().toLowerCase(), shown = 0;
      units.forEach(function (unit) {
        unit.hidden = wanted !== "" && unit.textContent.toLowerCase().indexOf(wanted) < 0;
        shown += !unit.hidden;
      });
      told.textContent = wanted ? shown + " of " + units.length + " rows" : "";
    });
  }
  [].forEach.call(document.querySelectorAll(".scroll > table"), function (table) {
    var units = [].slice.call(table.tBodies.length > 1 ? table.tBodies : table.tBodies[0].rows);
    if (units.length < 3) return;
    [].forEach.call(table.tHead.rows[0].cells, function (head, place) { sorter(table, units, head, place); });
    if (units.length > 9) filter(table, units, table.parentNode);
  });
})();
