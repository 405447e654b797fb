"use strict";
/* Sorts and filters tables. The page is complete without it: nothing is fetched, stored or hidden before somebody asks. */
(function () {
  function make(tag) { return document.createElement(tag); }
  function text(unit, place) {
    var cell = (unit.rows ? unit.rows[0] : unit).cells[place], first = cell && cell.firstChild;
    return first ? first.textContent.trim() : "";
  }
  function number(said) {
    var found = /(-?\d+(?:\.\d+)?(?:e-?\d+)?)([kMG]?)/.exec(said.replace(/[,\s]/g, "").replace(/\u2212/g, "-"));
    return found ? found[1] * { "": 1, k: 1e3, M: 1e6, G: 1e9 }[found[2]] : null;
  }
  function sorter(units, head, place) {
    var button = make("button"), isNumber = head.classList.contains("num");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.ariaSort = "none";
    button.addEventListener("click", function () {
      var steps = isNumber ? ["descending", "ascending", "none"] : ["ascending", "descending", "none"];
      var next = steps[(steps.indexOf(head.ariaSort) + 1) % 3], sign = next === "ascending" ? 1 : -1;
      var keyed = units.map(function (unit, at) {
        var said = text(unit, place);
        return { unit: unit, at: at, key: isNumber ? number(said) : said || null };
      });
      if (next !== "none") keyed.sort(function (a, b) {
        if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.at - b.at;
        return sign * (isNumber ? a.key - b.key : a.key.localeCompare(b.key, "en", { numeric: true })) || a.at - b.at;
      });
      for (var other of head.parentNode.cells) other.ariaSort = "none";
      head.ariaSort = next;
      keyed.forEach(function (one) { one.unit.parentNode.append(one.unit); });
    });
  }
  function filter(table, units) {
    var line = make("p"), label = make("label"), field = make("input"), told = make("output"), name = table.caption.querySelector(".number");
    line.className = "filter";
    field.type = "search";
    label.append("Show only rows " + (name ? "of " + name.textContent.replace(/\.$/, "") + " " : "") + "with ", field);
    line.append(label, " ", told);
    table.parentNode.before(line);
    field.addEventListener("input", function () {
      var wanted = field.value.trim().toLowerCase(), shown = 0;
      units.forEach(function (unit) {
        unit.hidden = !unit.textContent.toLowerCase().includes(wanted);
        shown += !unit.hidden;
      });
      told.textContent = wanted ? shown + " of " + units.length + " rows" : "";
    });
  }
  document.querySelectorAll(".scroll > table").forEach(function (table) {
    var units = Array.from(table.tBodies.length > 1 ? table.tBodies : table.tBodies[0].rows);
    if (units.length < 4) return;
    Array.from(table.tHead.rows[0].cells).forEach(function (head, place) { sorter(units, head, place); });
    if (units.length > 9) filter(table, units);
  });
})();
