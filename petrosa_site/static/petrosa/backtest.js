// Charts of a backtest's report, by TradingView Lightweight Charts (Apache License 2.0).
"use strict";
(() => {
  const source = document.getElementById("backtest-data");
  if (!source || !window.LightweightCharts) return;
  const told = JSON.parse(source.textContent);
  const charts = window.LightweightCharts;
  const style = getComputedStyle(document.documentElement);
  const colour = (name, other) => style.getPropertyValue(name).trim() || other;
  const made = [];

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
      timeScale: { timeVisible: true, secondsVisible: false },
    });
    made.push(chart);
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
    const times = told.candles.map((row) => row[0]);
    const barOf = (seconds) => {
      let low = 0;
      let high = times.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (times[middle] <= seconds) low = middle;
        else high = middle - 1;
      }
      return times[low];
    };
    charts.createSeriesMarkers(
      series,
      told.fills.map((fill) => ({
        time: barOf(Math.floor(fill.at_ms / 1000)),
        position: fill.side === "BUY" ? "belowBar" : "aboveBar",
        shape: fill.side === "BUY" ? "arrowUp" : "arrowDown",
        color: fill.side === "BUY" ? "#12805c" : "#d3213d",
        text: told.fills.length > 200 ? "" : fill.why,
      })),
    );
    bars.timeScale().fitContent();
  }
})();
