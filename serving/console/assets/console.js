// Charts, and what keeps its state while the live part of a page is replaced. Everything else works without this file.
"use strict";
(() => {
  const charts = new Map();
  const opened = new Map();
  let spoken = "";

  function colour(name) {
    const probe = document.createElement("span");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }

  function options(place, series) {
    const ink = colour("quiet"), line = colour("line");
    const strokes = ["accent", "new", "warn", "bad", "good", "ink"].map(colour);
    const unit = series.unit;
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "11px system-ui" };
    return {
      width: Math.max(place.clientWidth, 200), height: 190, cursor: { y: false }, tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"), padding: [8, 8, 0, 0],
      scales: { y: { range: (_, low, high) => [Math.min(0, low || 0), Math.max(high || 0, 1) * 1.1] } },
      axes: [{ ...axis, values: (_, at, __, ___, step) => at.map((v) => new Date(v * 1000).toISOString().slice(11, step < 60 ? 19 : 16)) }, { ...axis, size: 52, values: (_, values) => values.map((v) => `${v >= 1000 ? v / 1000 + "k" : v}`) }],
      series: [{ value: (_, at) => (at == null ? "" : new Date(at * 1000).toISOString().slice(11, 19)) }, ...series.labels.map((label, i) => ({
        label, stroke: strokes[i % strokes.length], width: 2, spanGaps: true, points: { show: false },
        fill: i === 0 && series.labels.length < 3 ? strokes[0].replace("rgb(", "rgba(").replace(")", ", .10)") : undefined,
        value: (_, v) => (v == null ? "–" : `${v.toLocaleString("en", { maximumFractionDigits: 1 })} ${unit}`),
      }))],
    };
  }

  function draw() {
    const source = document.getElementById("chart-data");
    if (!source || !window.uPlot) return;
    const all = JSON.parse(source.textContent);
    for (const place of document.querySelectorAll("[data-chart]")) {
      const series = all[place.dataset.chart];
      if (!series || series.data.length < 2 || series.data[0].length < 2) continue;
      const known = charts.get(place);
      if (known && known.labels === series.labels.join()) {
        known.plot.setData(series.data);
      } else {
        if (known) known.plot.destroy();
        charts.set(place, { plot: new uPlot(options(place, series), series.data, place), labels: series.labels.join() });
      }
    }
  }

  function redraw() {
    for (const known of charts.values()) known.plot.destroy();
    charts.clear();
    draw();
  }

  function speak() {
    const verdict = document.getElementById("verdict");
    if (verdict && verdict.textContent !== spoken) {
      if (spoken) document.getElementById("spoken").textContent = verdict.textContent;
      spoken = verdict.textContent;
    }
  }

  document.addEventListener("htmx:sseBeforeMessage", () => {
    for (const each of document.querySelectorAll("#live details[id]")) opened.set(each.id, each.open);
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const each of document.querySelectorAll("#live details[id]"))
      if (opened.has(each.id)) each.open = opened.get(each.id);
    draw();
    speak();
  });
  document.addEventListener("htmx:sseMessage", () => { document.getElementById("lost").hidden = true; });
  document.addEventListener("htmx:sseOpen", () => { document.getElementById("lost").hidden = true; });
  document.addEventListener("htmx:sseError", () => { document.getElementById("lost").hidden = false; });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  let resizing = 0;
  addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(redraw, 150); });
  draw();
  speak();
})();
