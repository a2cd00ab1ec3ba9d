// What happens in the browser alone; colorizer/dashboard/app.py says when.
const tabs = ["runs", "curves", "settings", "pictures", "run", "difference", "system"];
const display = on => ({display: on ? "block" : "none"});

window.dash_clientside = Object.assign({}, window.dash_clientside, {
  colorizer: {
    views: tab => tabs.map(name => display(name === tab)),
    rows: rows => [display(rows === "runs"), display(rows === "groups")],

    // The runs that the filters of the table leave, and how many these are; what is as before
    // asks for no new figures.
    shown: (left, rows, before) => {
      if (!rows || !left) return [window.dash_clientside.no_update, ""];
      const ids = left.filter(row => row.state !== "damaged").map(row => row.id).sort();
      const count = left.length < rows.length ? `${left.length} of ${rows.length} runs` : `${rows.length} runs`;
      const same = before && before.length === ids.length && ids.every((id, i) => id === before[i]);
      return [same ? window.dash_clientside.no_update : ids, count];
    },

    find: text => {
      const grid = window.dash_ag_grid && document.querySelector("#table .ag-root");
      if (grid) dash_ag_grid.getApi("table").setGridOption("quickFilterText", text || "");
      return "looks in every column";
    },
  },
});
