// Draws a price history: candles with their volume, or funding rates. Older rows are read as one
// scrolls back. Its attribution logo is asked for by the chart's licence and stays.
(() => {
  const box = document.getElementById("history-chart");
  if (!box || !window.LightweightCharts) return;
  const charts = window.LightweightCharts;
  const said = box.querySelector("[data-said]");
  const GOOD = "#12a150", BAD = "#d3213d", RATE = "#2f6fed";

  function colour(name) {
    // The chart reads no oklch() and no variables: a canvas turns any colour into plain numbers.
    const spot = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    spot.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    spot.fillRect(0, 0, 1, 1);
    const [r, g, b] = spot.getImageData(0, 0, 1, 1).data;
    return `rgb(${r}, ${g}, ${b})`;
  }

  const look = () => ({
    layout: { background: { color: colour("--panel") }, textColor: colour("--text"), attributionLogo: true },
    grid: { vertLines: { color: colour("--line") }, horzLines: { color: colour("--line") } },
    rightPriceScale: { borderColor: colour("--line") },
    timeScale: { borderColor: colour("--line"), timeVisible: true, secondsVisible: false },
  });
  const chart = charts.createChart(box, { autoSize: true, ...look() });
  new MutationObserver(() => chart.applyOptions(look()))
    .observe(document.documentElement, { attributeFilter: ["class"] });

  let rows = [], bars = null, volume = null, reading = false, atStart = false;

  function decimals(price) {
    return price >= 1000 ? 2 : price >= 1 ? 4 : 8;
  }

  function begin(kind, sample) {
    if (kind === "funding") {
      bars = chart.addSeries(charts.HistogramSeries, {
        color: RATE, priceFormat: { type: "custom", minMove: 1e-6, formatter: (v) => `${(v * 100).toFixed(4)} %` },
      });
      return;
    }
    const precision = decimals(sample);
    bars = chart.addSeries(charts.CandlestickSeries, {
      upColor: GOOD, downColor: BAD, wickUpColor: GOOD, wickDownColor: BAD, borderVisible: false,
      priceFormat: { type: "price", precision, minMove: 10 ** -precision },
    });
    volume = chart.addSeries(charts.HistogramSeries, { priceScaleId: "", priceFormat: { type: "volume" } });
    volume.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    bars.priceScale().applyOptions({ scaleMargins: { top: 0.06, bottom: 0.22 } });
  }

  function read(body) {
    return body.opened_ms.map((ms, i) => body.kind === "funding"
      ? { time: Math.floor(ms / 1000), value: body.rate[i], color: body.rate[i] < 0 ? BAD : RATE }
      : { time: ms / 1000, open: body.open[i], high: body.high[i], low: body.low[i], close: body.close[i], volume: body.volume[i] });
  }

  function draw() {
    bars.setData(rows);
    if (volume) {
      volume.setData(rows.map((row) => ({
        time: row.time, value: row.volume, color: row.close < row.open ? `${BAD}55` : `${GOOD}55`,
      })));
    }
  }

  async function more() {
    if (reading || atStart) return;
    reading = true;
    try {
      const before = rows.length ? `?before=${rows[0].time * 1000}` : "";
      const answer = await fetch(box.dataset.source + before, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      const body = await answer.json();
      const older = read(body);
      atStart = older.length === 0;
      if (!older.length) {
        if (!rows.length) said.textContent = "Nothing is stored.";
        return;
      }
      if (!bars) begin(body.kind, body.close ? body.close[0] : 1);
      rows = older.concat(rows);
      said.textContent = "";
      draw();
      box.dataset.drawn = String(rows.length);
    } catch (error) {
      said.textContent = `Not drawn: ${error.message}. Reload to try again.`;
    } finally {
      reading = false;
    }
  }

  chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
    if (range && rows.length && range.from < 20) more();
  });
  more();
})();
