// Charts of a backtest's report, by TradingView Lightweight Charts (Apache License 2.0).
"use strict";
(() => {
  const source = document.getElementById("backtest-data");
  if (!source || !window.LightweightCharts) return;
  const told = JSON.parse(source.textContent);
  const charts = window.LightweightCharts;
  const style = getComputedStyle(document.documentElement);
  const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  // The charts know no oklch(): a painted pixel says the same colour in numbers.
  const colour = (name, other) => {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = other;
    pixel.fillStyle = style.getPropertyValue(name).trim() || other;
    pixel.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = pixel.getImageData(0, 0, 1, 1).data;
    return `rgba(${red},${green},${blue},${alpha / 255})`;
  };
  const make = (id, height) => {
    const place = document.getElementById(id);
    if (!place) return null;
    const chart = charts.createChart(place, {
      height,
      autoSize: true,
      layout: {
        background: { color: "transparent" },
        textColor: colour("--faint", "#6b7485"),
        attributionLogo: true,
      },
      grid: {
        vertLines: { color: colour("--line", "#e2e5ea") },
        horzLines: { color: colour("--line", "#e2e5ea") },
      },
      // All bars must fit a phone: by default none is narrower than half a pixel.
      timeScale: { timeVisible: true, secondsVisible: false, minBarSpacing: 0.01 },
    });
    // The chart has its size only after the page was laid out, and another when that is turned.
    new ResizeObserver(() => {
      requestAnimationFrame(() => chart.timeScale().fitContent());
    }).observe(place);
    return chart;
  };
  const points = (values) =>
    told.equity.time.map((time, at) => ({ time, value: values[at] }));

  const equity = make("bt-equity", 320);
  if (equity) {
    const plain = { lineWidth: 2, priceLineVisible: false };
    equity
      .addSeries(charts.LineSeries, { ...plain, color: "#2f6bff", title: "strategy" })
      .setData(points(told.equity.equity));
    equity
      .addSeries(charts.LineSeries, { ...plain, color: "#9aa3b2", lineWidth: 1, title: "hold" })
      .setData(points(told.equity.hold));
    equity.timeScale().fitContent();
  }
  const fall = make("bt-drawdown", 180);
  if (fall) {
    fall
      .addSeries(charts.AreaSeries, {
        lineColor: "#d3213d",
        topColor: "rgba(211,33,61,0.05)",
        bottomColor: "rgba(211,33,61,0.35)",
        priceLineVisible: false,
        lineWidth: 1,
      })
      .setData(points(told.equity.drawdown));
    fall.timeScale().fitContent();
  }
  const bars = make("bt-candles", 380);
  if (bars) {
    const series = bars.addSeries(charts.CandlestickSeries, { priceLineVisible: false });
    series.setData(
      told.candles.map(([time, open, high, low, close]) => ({ time, open, high, low, close })),
    );
    const many = told.marks.length > 200;
    charts.createSeriesMarkers(
      series,
      told.marks.map(([time, side, why]) => ({
        time,
        position: side === "BUY" ? "belowBar" : "aboveBar",
        shape: many ? "circle" : side === "BUY" ? "arrowUp" : "arrowDown",
        color: side === "BUY" ? "#12805c" : "#d3213d",
        size: many ? 0.3 : 1,
        text: why,
      })),
    );
    bars.timeScale().fitContent();
  }
})();
